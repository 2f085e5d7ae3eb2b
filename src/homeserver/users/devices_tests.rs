use super::DeviceError;
use crate::users::testing::{Fixture, config, with_lanes};

#[tokio::test]
async fn devices_are_listed_with_their_sightings() {
    with_lanes(config(), async |f: Fixture| {
        let user = f.user("alice").await;
        for device in ["C", "A", "B"] {
            f.login("alice", device).await;
        }
        let token = f.login("alice", "B").await;
        let b = f.users.authenticate(&token).await.unwrap();
        f.users.record_seen(&b, Some([127, 0, 0, 1].into()), None);
        let unwritten = f.users.list_devices(&user.key).await.unwrap();
        f.users.write_sightings().await;
        let list = f.users.list_devices(&user.key).await.unwrap();
        assert_eq!(list, unwritten);
        assert_eq!(list.len(), 4);
        assert!(list.is_sorted_by_key(|device| device.device_id.to_string()));
        for device in &list {
            let is_b = device.device_id == "B";
            assert_eq!(device.last_seen_ip.is_some(), is_b);
            assert_eq!(device.last_seen_ip.as_deref(), is_b.then_some("127.0.0.1"));
            assert_eq!(f.users.load_device(&user.key, &device.device_id).await.unwrap().as_ref(), Some(device));
        }
        assert!(f.users.load_device(&user.key, "unknown_device".into()).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_device_is_renamed_by_its_user_only_if_it_exists() {
    with_lanes(config(), async |f: Fixture| {
        let (alice, bob) = (f.user("alice").await, f.user("bob").await);
        f.users.update_device(&alice.key, &alice.device_id, Some("mine".to_owned())).await.unwrap();
        f.users.update_device(&alice.key, &alice.device_id, None).await.unwrap();
        assert_eq!(
            f.users.load_device(&alice.key, &alice.device_id).await.unwrap().unwrap().display_name.as_deref(),
            Some("mine")
        );
        let other = f.users.update_device(&bob.key, &alice.device_id, Some("yours".to_owned())).await;
        assert!(matches!(other, Err(DeviceError::Unknown)));
        let long = f.users.update_device(&alice.key, &alice.device_id, Some("x".repeat(513))).await;
        assert!(matches!(long, Err(DeviceError::Name)));
    })
    .await;
}
