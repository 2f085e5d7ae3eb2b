use ruma::api::appservice::Registration;
use ruma::{room_alias_id, server_name, user_id};
use serde_json::json;

use super::{AppServices, BadRegistration};
use crate::users::ExclusiveNames as _;

fn registration(id: &str, token: &str, users: &str) -> Registration {
    serde_json::from_value(json!({
        "id": id,
        "url": null,
        "as_token": token,
        "hs_token": "other",
        "sender_localpart": format!("{id}bot"),
        "namespaces": {
            "users": [
                { "exclusive": true, "regex": users },
                { "exclusive": false, "regex": "@shared_.*:hs1" },
            ],
            "aliases": [{ "exclusive": true, "regex": "#irc_.*:hs1" }],
        },
    }))
    .unwrap()
}

fn services(list: &[Registration]) -> Result<AppServices, BadRegistration> {
    AppServices::new(list, server_name!("hs1"))
}

#[test]
fn a_service_owns_what_its_namespaces_match_from_their_beginning() {
    let services = services(&[registration("irc", "t", "@irc_.*:hs1")]).unwrap();
    let irc = services.find_by_token("t").unwrap();
    for (user, owned, claimed) in [
        (user_id!("@irc_anna:hs1"), true, true),
        (user_id!("@ircbot:hs1"), true, true),
        (user_id!("@shared_x:hs1"), true, false),
        (user_id!("@not_@irc_anna:hs1"), false, false),
        (user_id!("@anna:hs1"), false, false),
    ] {
        assert_eq!((irc.owns_user(user), services.is_exclusive(user)), (owned, claimed), "{user}");
    }
}

#[test]
fn an_alias_in_an_exclusive_namespace_is_made_by_its_service_alone() {
    let services = services(&[registration("irc", "t", "@irc_.*:hs1"), {
        let mut xmpp = registration("xmpp", "u", "@xmpp_.*:hs1");
        xmpp.namespaces.aliases[0].regex = "#xmpp_.*:hs1".to_owned();
        xmpp.namespaces.aliases.push(ruma::api::appservice::Namespace::new(false, "#shared_.*:hs1".to_owned()));
        xmpp
    }])
    .unwrap();
    let [claimed, shared, free] =
        [room_alias_id!("#irc_rust:hs1"), room_alias_id!("#shared_rust:hs1"), room_alias_id!("#rust:hs1")];
    for (alias, by_users, by_irc, by_xmpp) in
        [(claimed, false, true, false), (shared, true, false, true), (free, true, false, false)]
    {
        let may = [None, Some("irc"), Some("xmpp")].map(|service| services.may_make_alias(alias, service));
        assert_eq!(may, [by_users, by_irc, by_xmpp], "{alias}");
        assert_eq!(services.owns_alias(alias, "irc"), by_irc, "{alias}");
    }
}

#[test]
fn tokens_find_their_service_and_nothing_else_does() {
    let services =
        services(&[registration("irc", "t", "@irc_.*:hs1"), registration("xmpp", "u", "@xmpp_.*:hs1")]).unwrap();
    assert_eq!(&*services.find_by_token("u").unwrap().id, "xmpp");
    for token in ["", "tt", "T", "other"] {
        assert!(services.find_by_token(token).is_none(), "{token}");
    }
    let irc = services.find_by_token("t").unwrap();
    assert!(services.is_claimed_by_others(user_id!("@xmpp_b:hs1"), &irc));
    assert!(!services.is_claimed_by_others(user_id!("@irc_b:hs1"), &irc));
}

#[test]
fn registrations_that_contradict_are_refused() {
    let irc = || registration("irc", "t", "@irc_.*:hs1");
    let refused = |list: &[Registration]| services(list).err();
    assert_eq!(refused(&[irc(), irc()]), Some(BadRegistration::SameId("irc".to_owned())));
    let same = registration("xmpp", "t", "@x:hs1");
    assert_eq!(refused(&[irc(), same]), Some(BadRegistration::SameToken("xmpp".to_owned())));
    assert_eq!(refused(&[registration("a", " ", "x")]), Some(BadRegistration::EmptyToken("a".to_owned())));
    let open = refused(&[registration("a", "t", "(")]);
    assert!(matches!(open, Some(BadRegistration::Namespace { .. })), "{open:?}");
}
