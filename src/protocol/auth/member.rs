//! The rules for member events.

use ruma::UserId;

use super::{
    JoinRule, LevelField, Membership, Rejection,
    membership::{authoriser_of, membership_of},
    third_party::{ThirdPartyInvite, check_third_party_invite},
    view::View,
};
use crate::Event;

/// Checks a member event against a room state.
pub(super) fn check_member(event: &Event, view: &View<'_>) -> Result<(), Rejection> {
    let target =
        event.state_key.as_deref().and_then(|key| <&UserId>::try_from(key).ok()).ok_or(Rejection::MemberStateKey)?;
    match membership_of(&event.content)? {
        Membership::Join => check_join(event, target, view),
        Membership::Invite => check_invite(event, target, view),
        Membership::Leave => check_leave(event, target, view),
        Membership::Ban => check_ban(event, target, view),
        Membership::Knock if view.rules.knocking => check_knock(event, target, view),
        Membership::Knock | Membership::Unknown => Err(Rejection::UnknownMembership),
    }
}

fn check_join(event: &Event, target: &UserId, view: &View<'_>) -> Result<(), Rejection> {
    view.create.require_creators()?;
    let first = matches!(event.prev_events.as_slice(), [only] if *only == view.create.event_id);
    if first && view.create.creator()? == target {
        return Ok(());
    }
    if event.sender != *target {
        return Err(Rejection::JoinForAnother);
    }
    let current = view.membership(target)?;
    if current == Membership::Ban {
        return Err(Rejection::JoinWhileBanned);
    }
    let invited = matches!(current, Membership::Invite | Membership::Join);
    match view.join_rule()? {
        JoinRule::Public => Ok(()),
        JoinRule::Invite if invited => Ok(()),
        JoinRule::Knock if view.rules.knocking && invited => Ok(()),
        JoinRule::Restricted if view.rules.restricted_join_rule => check_restricted_join(event, invited, view),
        JoinRule::KnockRestricted if view.rules.knock_restricted_join_rule => {
            check_restricted_join(event, invited, view)
        }
        _ => Err(Rejection::JoinRule),
    }
}

/// The content may name someone who vouches for the join also when nobody has to: a client that
/// changes its profile sends its last content again. That is not looked at then.
fn check_restricted_join(event: &Event, invited: bool, view: &View<'_>) -> Result<(), Rejection> {
    if invited {
        return Ok(());
    }
    let authoriser = authoriser_of(&event.content)?.ok_or(Rejection::JoinNotAuthorised)?;
    if view.membership(&authoriser)? != Membership::Join {
        return Err(Rejection::JoinAuthoriserNotJoined);
    }
    let power = view.power()?;
    if power.require_user(&authoriser)? < power.require_field(LevelField::Invite)? {
        return Err(Rejection::JoinAuthoriserPower);
    }
    Ok(())
}

fn check_invite(event: &Event, target: &UserId, view: &View<'_>) -> Result<(), Rejection> {
    if let Some(invite) = ThirdPartyInvite::of(&event.content)? {
        return check_third_party_invite(event, &invite, target, view);
    }
    if view.membership(&event.sender)? != Membership::Join {
        return Err(Rejection::InviteSenderNotJoined);
    }
    if matches!(view.membership(target)?, Membership::Join | Membership::Ban) {
        return Err(Rejection::InviteTargetJoinedOrBanned);
    }
    let power = view.power()?;
    if power.require_user(&event.sender)? < power.require_field(LevelField::Invite)? {
        return Err(Rejection::InvitePower);
    }
    Ok(())
}

fn check_leave(event: &Event, target: &UserId, view: &View<'_>) -> Result<(), Rejection> {
    let own = view.membership(&event.sender)?;
    if event.sender == *target {
        let may_leave = match own {
            Membership::Join | Membership::Invite => true,
            Membership::Knock => view.rules.knocking,
            _ => false,
        };
        return if may_leave { Ok(()) } else { Err(Rejection::LeaveNotMember) };
    }
    if own != Membership::Join {
        return Err(Rejection::KickSenderNotJoined);
    }
    let power = view.power()?;
    let own = power.require_user(&event.sender)?;
    let ban = power.require_field(LevelField::Ban)?;
    if view.membership(target)? == Membership::Ban && own < ban {
        return Err(Rejection::UnbanPower);
    }
    if own < power.require_field(LevelField::Kick)? || power.require_user(target)? >= own {
        return Err(Rejection::KickPower);
    }
    Ok(())
}

fn check_ban(event: &Event, target: &UserId, view: &View<'_>) -> Result<(), Rejection> {
    if view.membership(&event.sender)? != Membership::Join {
        return Err(Rejection::BanSenderNotJoined);
    }
    let power = view.power()?;
    let own = power.require_user(&event.sender)?;
    if own < power.require_field(LevelField::Ban)? || power.require_user(target)? >= own {
        return Err(Rejection::BanPower);
    }
    Ok(())
}

fn check_knock(event: &Event, target: &UserId, view: &View<'_>) -> Result<(), Rejection> {
    match view.join_rule()? {
        JoinRule::Knock => {}
        JoinRule::KnockRestricted if view.rules.knock_restricted_join_rule => {}
        _ => return Err(Rejection::KnockJoinRule),
    }
    if event.sender != *target {
        return Err(Rejection::KnockForAnother);
    }
    match view.membership(target)? {
        Membership::Ban | Membership::Invite | Membership::Join => Err(Rejection::KnockAlreadyMember),
        _ => Ok(()),
    }
}
