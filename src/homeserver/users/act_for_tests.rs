use crate::users::testing::{Fixture, config, id, with_lanes};

#[tokio::test]
async fn an_account_is_acted_for_without_a_token_and_a_stranger_is_not() {
    with_lanes(config(), async |f: Fixture| {
        let alice = f.user("alice").await;
        let acted = f.users.act_for(&id("alice")).await.unwrap().unwrap();
        assert_eq!((&acted.user_id, acted.key, acted.is_admin), (&alice.user_id, alice.key, false));
        f.users.deactivate(&id("alice"), false).await.unwrap();
        assert!(f.users.act_for(&id("alice")).await.unwrap().is_some());
        for user in [ruma::user_id!("@alice:elsewhere"), &id("nobody")] {
            assert!(f.users.act_for(user).await.unwrap().is_none());
        }
    })
    .await;
}
