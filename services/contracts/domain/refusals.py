"""What the rules of a contract refuse; each may name its clause when it is raised."""

from libs.refusal.refusal import NotFound, Refusal


class UnknownContract(NotFound):
    code = "unknown-contract"
    title = "There is no such contract"


class UnknownCustomer(NotFound):
    code = "unknown-customer"
    title = "There is no such customer"


class NoSuchService(NotFound):
    code = "no-such-service"
    title = "There is no such service"


class UnknownFact(NotFound):
    code = "unknown-fact"
    title = "The contract has no such fact"


class PartyIsForgotten(Refusal):
    code = "party-is-forgotten"
    title = "What was registered of this party has been forgotten for good"


class StillNeeded(Refusal):
    code = "still-needed"
    title = "What is registered of this party is still needed"


class AlreadyExists(Refusal):
    code = "already-exists"
    title = "Something else already stands under this id"


class IncompleteApplication(Refusal):
    code = "incomplete-application"
    title = "The application is not complete"


class NotOfThisService(Refusal):
    code = "not-of-this-service"
    title = "The terms of this service know no such thing"


class NotAGround(Refusal):
    code = "not-a-ground"
    title = "The terms know no such ground"


class NotUnderReview(Refusal):
    code = "not-under-review"
    title = "The contract is not under review"


class NotFormed(Refusal):
    code = "not-formed"
    title = "The contract does not exist yet"


class NotInForce(Refusal):
    code = "not-in-force"
    title = "The service is not being provided"


class AlreadyStarted(Refusal):
    code = "already-started"
    title = "The service has started already"


class AlreadyAccepted(Refusal):
    code = "already-accepted"
    title = "The ordered work has been accepted already"


class WorkOnHold(Refusal):
    code = "work-on-hold"
    title = "The work rests while a cancellation waits for its payment"


class TooLate(Refusal):
    code = "too-late"
    title = "The day is too late"


class DemandMissing(Refusal):
    code = "demand-missing"
    title = "A demand with a period has to come first"


class AlreadyEnded(Refusal):
    code = "already-ended"
    title = "The contract has ended"


class AlreadySuspended(Refusal):
    code = "already-suspended"
    title = "The contract is suspended already"


class NotSuspended(Refusal):
    code = "not-suspended"
    title = "The contract is not suspended"


class SuspensionTooLong(Refusal):
    code = "suspension-too-long"
    title = "A suspension may not last that long"


class SuspensionNotRenewed(Refusal):
    code = "suspension-not-renewed"
    title = "The same ground does not start a second suspension"


class NoticeMissing(Refusal):
    code = "notice-missing"
    title = "A notice has to come first"


class TooEarly(Refusal):
    code = "too-early"
    title = "The day is too early"


class BeyondMaximumPeriod(Refusal):
    code = "beyond-maximum-period"
    title = "The contract cannot go on that long"


class NoRequest(Refusal):
    code = "no-termination-request"
    title = "There is no termination request to confirm"


class NotEnoughToRemove(Refusal):
    code = "not-enough-to-remove"
    title = "The contract does not have what is to be removed"


class NothingChanges(Refusal):
    code = "nothing-named"
    title = "The request does not say what is to change"


class ImpossibleTimeline(Refusal):
    code = "impossible-timeline"
    title = "The facts of the contract would contradict one another"


class ServiceIsAbolished(Refusal):
    code = "service-is-abolished"
    title = "The service is no more on that day"


class OtherwiseAbolished(Refusal):
    code = "otherwise-abolished"
    title = "The end of this service was announced for another day"
