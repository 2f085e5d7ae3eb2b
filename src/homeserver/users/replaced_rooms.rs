//! What a user has set for a room, for the room that replaces it (C-S API, "Room Upgrades"): tags, the list of direct
//! chats, push rules. All of it may be done twice.

use ruma::RoomId;
use serde_json::{Map, Value, json};

use super::account_data::{AccountDataError, Edit};
use super::handle::Users;
use super::local_user::LocalUser;
use super::push_rules::{PUSH_RULES, decode, encode};

const TAG: &str = "m.tag";
const DIRECT: &str = "m.direct";

impl Users {
    /// Sets for the new room what the caller has set for the old one, where nothing is set for the new one yet.
    pub async fn follow_replacement(
        &self,
        user: &LocalUser,
        old: &RoomId,
        new: &RoomId,
    ) -> Result<(), AccountDataError> {
        let tags = self.load_account_data(&user.user_id, Some(old), TAG).await?;
        if let Some(tags) = tags {
            let edit = |content: Option<&str>| {
                Ok::<_, AccountDataError>(if content.is_none() { Edit::Set(tags.get().to_owned()) } else { Edit::Keep })
            };
            self.edit_account_data(user.key, Some(new), TAG, edit).await?;
        }
        let edit = |content: Option<&str>| {
            let changed = content.and_then(|content| add_direct(content, old, new));
            Ok::<_, AccountDataError>(changed.map_or(Edit::Keep, Edit::Set))
        };
        self.edit_account_data(user.key, None, DIRECT, edit).await?;
        let edit = |content: Option<&str>| {
            let rules = serde_json::to_value(decode(&user.user_id, content)).unwrap_or_default();
            let changed = add_rules(rules, old, new).and_then(|rules| serde_json::from_value(rules).ok());
            Ok::<_, AccountDataError>(changed.and_then(encode).map_or(Edit::Keep, Edit::Set))
        };
        self.edit_account_data(user.key, None, PUSH_RULES, edit).await
    }
}

/// The list of direct chats with the new room beside the old one; none when nothing changes.
fn add_direct(content: &str, old: &RoomId, new: &RoomId) -> Option<String> {
    let mut direct: Map<String, Value> = serde_json::from_str(content).ok()?;
    let mut changed = false;
    for rooms in direct.values_mut().filter_map(Value::as_array_mut) {
        if rooms.contains(&json!(old)) && !rooms.contains(&json!(new)) {
            rooms.push(json!(new));
            changed = true;
        }
    }
    changed.then(|| Value::Object(direct).to_string())
}

/// The rules with a copy, for the new room, of each that is about the old one; none when nothing changes.
fn add_rules(mut rules: Value, old: &RoomId, new: &RoomId) -> Option<Value> {
    let mut changed = false;
    for kind in ["override", "room", "underride"] {
        let Some(list) = rules.get_mut(kind).and_then(Value::as_array_mut) else { continue };
        let copies: Vec<_> = list.iter().filter_map(|rule| copy_rule(rule, kind, old, new)).collect();
        for copy in copies {
            if list.iter().all(|rule| rule["rule_id"] != copy["rule_id"]) {
                list.insert(0, copy);
                changed = true;
            }
        }
    }
    changed.then_some(rules)
}

fn copy_rule(rule: &Value, kind: &str, old: &RoomId, new: &RoomId) -> Option<Value> {
    let is_default = rule["default"] == true;
    let id = rule["rule_id"].as_str().filter(|_| !is_default)?;
    let mut copy = rule.clone();
    let mut is_about = kind == "room" && id == old.as_str();
    for condition in copy["conditions"].as_array_mut().into_iter().flatten() {
        if condition["key"] == "room_id" && condition["pattern"] == old.as_str() {
            condition["pattern"] = json!(new);
            is_about = true;
        }
    }
    if !is_about {
        return None;
    }
    // Clients name such a rule by its room.
    let new_id = if id.contains(old.as_str()) {
        id.replace(old.as_str(), new.as_str())
    } else {
        format!("{id}_{}", new.as_str().trim_start_matches('!'))
    };
    copy["rule_id"] = new_id.into();
    Some(copy)
}

#[cfg(test)]
mod tests {
    use ruma::room_id;
    use serde_json::json;

    use super::{add_direct, add_rules};

    #[test]
    fn a_direct_chat_is_one_in_the_new_room_too() {
        let (old, new) = (room_id!("!old:h"), room_id!("!new:h"));
        let direct = json!({ "@bob:h": ["!old:h", "!other:h"], "@eve:h": ["!other:h"] }).to_string();
        let changed = add_direct(&direct, old, new).unwrap();
        let expected = json!({ "@bob:h": ["!old:h", "!other:h", "!new:h"], "@eve:h": ["!other:h"] });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&changed).unwrap(), expected);
        assert_eq!(add_direct(&changed, old, new), None);
    }

    #[test]
    fn rules_about_the_old_room_are_copied_once() {
        let (old, new) = (room_id!("!old:h"), room_id!("!new:h"));
        let condition = |room: &str| json!([{ "kind": "event_match", "key": "room_id", "pattern": room }]);
        let rules = json!({
            "override": [
                { "rule_id": "!old:h", "default": false, "enabled": true, "actions": [], "conditions": condition("!old:h") },
                { "rule_id": ".m.rule.master", "default": true, "enabled": false, "actions": [], "conditions": [] },
            ],
            "room": [
                { "rule_id": "!old:h", "default": false, "enabled": false, "actions": ["notify"] },
                { "rule_id": "!other:h", "default": false, "enabled": true, "actions": [] },
            ],
        });
        let changed = add_rules(rules, old, new).unwrap();
        assert_eq!(changed["override"][0]["rule_id"], "!new:h");
        assert_eq!(changed["override"][0]["conditions"], condition("!new:h"));
        assert_eq!(changed["room"][0]["rule_id"], "!new:h");
        assert_eq!(changed["room"][0]["enabled"], false);
        assert_eq!(changed["room"].as_array().unwrap().len(), 3);
        assert_eq!(add_rules(changed, old, new), None);
    }
}
