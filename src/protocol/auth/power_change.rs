//! The rules for a power levels event: what it may contain, and who may change what.

use std::collections::BTreeMap;

use super::{LevelField, Levels, Rejection, view::View};
use crate::{
    Event,
    power::{PowerLevels, UserLevel},
};

/// Checks a power levels event of a sender whose level is `own`.
pub(super) fn check_power_change(
    event: &Event,
    view: &View<'_>,
    current: &PowerLevels,
    own: UserLevel,
) -> Result<(), Rejection> {
    let new = Levels::of(view.rules, &event.content);
    for field in LevelField::ALL {
        new.field(field)?;
    }
    let new_events = new.events()?;
    let new_notifications = new.notifications()?;
    let new_users = new.users()?;
    if view.rules.explicitly_privilege_room_creators
        && new_users.is_some_and(|users| view.create.creators().any(|creator| users.contains_key(creator)))
    {
        return Err(Rejection::PowerNamesCreator);
    }
    let Some(old) = current.levels() else {
        return Ok(());
    };

    for field in LevelField::ALL {
        let (old, new) = (old.field(field)?, new.field(field)?);
        let above = |level: Option<i64>| own < level.unwrap_or_else(|| field.default_level());
        if old != new && (above(old) || above(new)) {
            return Err(Rejection::PowerFieldChange(field));
        }
    }
    let above = |_: &String, level: i64| own < level;
    if let Some(kind) = first_refused(old.events()?, new_events, own, above) {
        return Err(Rejection::PowerEventChange(kind.clone()));
    }
    if view.rules.limit_notifications_power_levels
        && let Some(name) = first_refused(old.notifications()?, new_notifications, own, above)
    {
        return Err(Rejection::PowerNotificationChange(name.clone()));
    }
    // Nobody may lower or remove one who has as much power, but for oneself.
    let refused = first_refused(old.users()?, new_users, own, |user, level| *user != event.sender && own <= level);
    match refused {
        Some(user) => Err(Rejection::PowerUserChange(user.to_string())),
        None => Ok(()),
    }
}

/// The first key whose change is not allowed: because `is_fixed` says so of its current level, or
/// because the new one is above the sender's own.
fn first_refused<'m, K: Ord>(
    old: Option<&'m BTreeMap<K, i64>>,
    new: Option<&'m BTreeMap<K, i64>>,
    own: UserLevel,
    is_fixed: impl Fn(&K, i64) -> bool,
) -> Option<&'m K> {
    let old_level = |key: &K| old.and_then(|map| map.get(key)).copied();
    let new_level = |key: &K| new.and_then(|map| map.get(key)).copied();
    let removed_or_changed =
        old.into_iter().flatten().filter(|&(key, level)| new_level(key) != Some(*level) && is_fixed(key, *level));
    let added_or_changed =
        new.into_iter().flatten().filter(|&(key, level)| old_level(key) != Some(*level) && own < *level);
    removed_or_changed.chain(added_or_changed).map(|(key, _)| key).next()
}
