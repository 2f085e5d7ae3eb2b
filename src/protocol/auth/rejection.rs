//! Why an event is refused: one variant for each rule that can refuse.

use ruma::OwnedEventId;

use super::LevelField;

/// A refusal by an authorisation rule.
///
/// The numbers in the documentation are those of room version 1 (where the rule exists there), else
/// of the version that brought the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Rule 1.1.
    #[error("a create event must not have previous events")]
    CreateHasPrevEvents,
    /// Rule 1.2, up to version 11.
    #[error("the domain of the room id is not the domain of the creator")]
    CreateRoomIdDomain,
    /// Rule 1.2, since version 12.
    #[error("a create event of this room version must not have a room id")]
    CreateHasRoomId,
    /// Rule 1.3.
    #[error("the create event names another room version than the room's")]
    CreateRoomVersion,
    /// Rule 1.4, up to version 10.
    #[error("the create event names no creator")]
    CreateWithoutCreator,
    /// Rule 1.4, since version 12.
    #[error("the additional creators are not a list of user ids")]
    CreateAdditionalCreators,
    /// Rule 2, since version 12.
    #[error("the room id is not the id of an accepted create event")]
    RoomIdNotACreateEvent,
    /// Rule 2.1.
    #[error("auth event {0} repeats a type and state key")]
    AuthEventDuplicate(OwnedEventId),
    /// Rule 2.2.
    #[error("auth event {0} is not one that authorises this event")]
    AuthEventUnexpected(OwnedEventId),
    /// Rule 2.3.
    #[error("auth event {0} was itself rejected")]
    AuthEventRejected(OwnedEventId),
    /// Rule 2.4, up to version 11.
    #[error("no create event among the auth events")]
    AuthEventsWithoutCreate,
    /// Rule 2.5.
    #[error("auth event {0} is of another room")]
    AuthEventOfOtherRoom(OwnedEventId),
    /// An auth event that the caller does not know; `evaluate` asks for it instead.
    #[error("auth event {0} is not known")]
    AuthEventUnknown(OwnedEventId),
    /// Every state but that of a create event holds a create event.
    #[error("no create event in the room state")]
    NoCreateEvent,
    /// Rule 3.
    #[error("the room is not federated and the sender is of another server")]
    NotFederated,
    /// Rules 4.1 and 4.2, up to version 5.
    #[error("the state key of an aliases event must be the sender's domain")]
    AliasesStateKey,
    /// Rule 5.1.
    #[error("a member event must have a user id as its state key")]
    MemberStateKey,
    /// Rule 5.1.
    #[error("a member event must have a membership")]
    MemberWithoutMembership,
    /// Rule 5.2.2.
    #[error("nobody can join for another user")]
    JoinForAnother,
    /// Rule 5.2.3.
    #[error("a banned user cannot join")]
    JoinWhileBanned,
    /// Rules 5.2.4 and 5.2.6: the join rule asks for an invitation, or is not known.
    #[error("the join rule does not let this user in")]
    JoinRule,
    /// Rule 4.3.5.2, since version 8: nobody vouches for the join.
    #[error("the join is neither invited nor authorised by a member")]
    JoinNotAuthorised,
    /// Rule 4.3.5.2, since version 8.
    #[error("the user who authorised the join is not in the room")]
    JoinAuthoriserNotJoined,
    /// Rule 4.3.5.2, since version 8.
    #[error("the user who authorised the join may not invite")]
    JoinAuthoriserPower,
    /// Rule 5.3.1.1.
    #[error("a banned user cannot be invited through a third party")]
    ThirdPartyTargetBanned,
    /// Rule 5.3.1.2.
    #[error("the third-party invite has no signed part")]
    ThirdPartyUnsigned,
    /// Rule 5.3.1.3.
    #[error("the signed part of the third-party invite lacks the user or the token")]
    ThirdPartyIncomplete,
    /// Rule 5.3.1.4.
    #[error("the third-party invite was signed for another user")]
    ThirdPartyOtherUser,
    /// Rule 5.3.1.5.
    #[error("the room has no third-party invite with this token")]
    ThirdPartyTokenUnknown,
    /// Rule 5.3.1.6.
    #[error("the sender is not the one who made the third-party invite")]
    ThirdPartyOtherSender,
    /// Rule 5.3.1.8.
    #[error("no signature of the third-party invite is of a key of the room's")]
    ThirdPartySignature,
    /// Rule 5.3.2.
    #[error("who invites must be in the room")]
    InviteSenderNotJoined,
    /// Rule 5.3.3.
    #[error("the user is in the room or banned")]
    InviteTargetJoinedOrBanned,
    /// Rule 5.3.5.
    #[error("not enough power to invite")]
    InvitePower,
    /// Rule 5.4.1.
    #[error("the user has nothing to leave")]
    LeaveNotMember,
    /// Rule 5.4.2.
    #[error("who removes a user must be in the room")]
    KickSenderNotJoined,
    /// Rule 5.4.3.
    #[error("not enough power to lift a ban")]
    UnbanPower,
    /// Rule 5.4.5.
    #[error("not enough power to remove the user")]
    KickPower,
    /// Rule 5.5.1.
    #[error("who bans must be in the room")]
    BanSenderNotJoined,
    /// Rule 5.5.3.
    #[error("not enough power to ban the user")]
    BanPower,
    /// Rule 4.6.1 of version 7.
    #[error("the join rule does not allow knocking")]
    KnockJoinRule,
    /// Rule 4.6.2 of version 7.
    #[error("nobody can knock for another user")]
    KnockForAnother,
    /// Rule 4.6.4 of version 7.
    #[error("the user is in the room, invited or banned")]
    KnockAlreadyMember,
    /// Rule 5.6.
    #[error("the membership is unknown to this room version")]
    UnknownMembership,
    /// Rule 6.
    #[error("the sender is not in the room")]
    SenderNotJoined,
    /// Rule 7.1.
    #[error("not enough power to make a third-party invite")]
    ThirdPartyInvitePower,
    /// Rule 8.
    #[error("not enough power to send this type of event")]
    EventPower,
    /// Rule 9.
    #[error("the state key is another user's id")]
    StateKeyOfAnother,
    /// MSC3757: the state key begins with `@`, and no user id follows.
    #[error("the state key begins like a user id and is none, neither alone nor before an underscore")]
    StateKeyOwnerMalformed,
    /// Rule 9.1 of version 10; in earlier versions, a value that is no integer in any form.
    #[error("the power level `{0}` is not an integer")]
    PowerFieldMalformed(LevelField),
    /// Rule 9.2 of version 10; likewise.
    #[error("the power levels `events` or `notifications` are not an object of integers")]
    PowerMapMalformed,
    /// Rule 10.1.
    #[error("the power levels `users` are not an object of integers by user id")]
    PowerUsersMalformed,
    /// Rule 10.4 of version 12.
    #[error("the power levels must not name a creator of the room")]
    PowerNamesCreator,
    /// Rule 10.3.
    #[error("not enough power to change the power level `{0}`")]
    PowerFieldChange(LevelField),
    /// Rules 10.4 and 10.5.
    #[error("not enough power to change the power level of event type `{0}`")]
    PowerEventChange(String),
    /// Rules 9.4 and 9.5 of version 6.
    #[error("not enough power to change the power level of notification `{0}`")]
    PowerNotificationChange(String),
    /// Rules 10.6 and 10.7.
    #[error("not enough power to change the power level of `{0}`")]
    PowerUserChange(String),
    /// Rule 11.3, versions 1 and 2.
    #[error("not enough power to redact an event of another server")]
    RedactionPower,
    /// A field that a rule has to read is not of its type; in the event itself or in the state.
    #[error("`{0}` cannot be read")]
    Malformed(&'static str),
}
