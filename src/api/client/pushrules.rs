//! What notifies a user. [Client-Server API, "Push Rules: API"]
//!
//! [Client-Server API, "Push Rules: API"]: https://spec.matrix.org/v1.19/client-server-api/#push-rules-api

use axum::extract::State;
use hearth_homeserver::users::{LocalUser, Users};
use ruma::{
    api::client::push::{
        PushRule, delete_pushrule, get_pushrule, get_pushrule_actions, get_pushrule_enabled, get_pushrules_all,
        get_pushrules_global_scope, set_pushrule, set_pushrule_actions, set_pushrule_enabled,
    },
    push::{AnyPushRule, AnyPushRuleRef, RuleKind, Ruleset},
};

use crate::{
    api_error::ApiError,
    caller::Caller,
    extract::Ruma,
    reply::{JsonText, Reply, Result},
};

/// `GET /_matrix/client/v3/pushrules/`
pub async fn get_push_rules(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(_): Ruma<get_pushrules_all::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    JsonText::of(&users.load_push_rules_json(&user.user_id).await.map_err(ApiError::internal)?)
}

/// `GET /_matrix/client/v3/pushrules/global/`
pub async fn get_push_rules_global(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(_): Ruma<get_pushrules_global_scope::v3::Request>,
) -> std::result::Result<JsonText, ApiError> {
    JsonText::of(&users.load_push_rules_json(&user.user_id).await.map_err(ApiError::internal)?.global)
}

/// `GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}`
pub async fn get_push_rule(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<get_pushrule::v3::Request>,
) -> Result<get_pushrule::v3::Response> {
    let rule = load_rule(&users, &user, body.kind, &body.rule_id).await?;
    Ok(Reply(get_pushrule::v3::Response::new(PushRule::from(rule))))
}

/// `GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled`
pub async fn is_push_rule_enabled(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<get_pushrule_enabled::v3::Request>,
) -> Result<get_pushrule_enabled::v3::Response> {
    let rule = load_rule(&users, &user, body.kind, &body.rule_id).await?;
    Ok(Reply(get_pushrule_enabled::v3::Response::new(rule.enabled())))
}

/// `GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions`
pub async fn get_push_rule_actions(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<get_pushrule_actions::v3::Request>,
) -> Result<get_pushrule_actions::v3::Response> {
    let rule = load_rule(&users, &user, body.kind, &body.rule_id).await?;
    Ok(Reply(get_pushrule_actions::v3::Response::new(rule.actions().to_owned())))
}

/// `PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}`
pub async fn set_push_rule(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<set_pushrule::v3::Request>,
) -> Result<set_pushrule::v3::Response> {
    users.set_push_rule(&user, body.rule, body.after.as_deref(), body.before.as_deref()).await?;
    Ok(Reply(set_pushrule::v3::Response::new()))
}

/// `DELETE /_matrix/client/v3/pushrules/global/{kind}/{ruleId}`
pub async fn delete_push_rule(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<delete_pushrule::v3::Request>,
) -> Result<delete_pushrule::v3::Response> {
    users.delete_push_rule(&user, &body.kind, &body.rule_id).await?;
    Ok(Reply(delete_pushrule::v3::Response::new()))
}

/// `PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled`
pub async fn set_push_rule_enabled(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<set_pushrule_enabled::v3::Request>,
) -> Result<set_pushrule_enabled::v3::Response> {
    users.set_push_rule_enabled(&user, &body.kind, &body.rule_id, body.enabled).await?;
    Ok(Reply(set_pushrule_enabled::v3::Response::new()))
}

/// `PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions`
pub async fn set_push_rule_actions(
    State(users): State<Users>,
    Caller(user): Caller,
    Ruma(body): Ruma<set_pushrule_actions::v3::Request>,
) -> Result<set_pushrule_actions::v3::Response> {
    users.set_push_rule_actions(&user, &body.kind, &body.rule_id, body.actions).await?;
    Ok(Reply(set_pushrule_actions::v3::Response::new()))
}

async fn load_rules(users: &Users, user: &LocalUser) -> std::result::Result<Ruleset, ApiError> {
    users.load_push_rules(&user.user_id).await.map_err(ApiError::internal)
}

async fn load_rule(
    users: &Users,
    user: &LocalUser,
    kind: RuleKind,
    rule_id: &str,
) -> std::result::Result<AnyPushRule, ApiError> {
    let rules = load_rules(users, user).await?;
    let rule = rules.get(kind, rule_id).map(AnyPushRuleRef::to_owned);
    rule.ok_or_else(|| ApiError::not_found("Unknown push rule."))
}
