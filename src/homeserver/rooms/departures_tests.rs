use hearth_storage::schema::users::Membership;

use crate::rooms::testing::Fixture;
use crate::rooms::{DepartureWorker, JoinWish, Preset};

#[tokio::test]
async fn a_deactivation_that_a_crash_cut_short_is_brought_to_its_end() {
    for lanes in [1, 8] {
        let f = Fixture::new(lanes).await;
        let (alice, bob) = (f.user("alice").await, f.user("bob").await);
        let mut rooms = Vec::new();
        for _ in 0..3 {
            let room = f.room(&alice, Preset::PublicChat).await;
            f.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
            rooms.push(room);
        }
        // The commit that closes the account is all that came to pass.
        f.users.deactivate(&bob.user_id, false).await.unwrap();
        assert_eq!(f.users.list_departures().await.unwrap(), std::slice::from_ref(&bob.user_id));
        let worker = DepartureWorker::new(f.rooms.clone());
        for _ in 0..20 {
            worker.depart_due().await.unwrap();
            tokio::task::yield_now().await;
        }
        for room in &rooms {
            let view = f.rooms.require_view(room).await.unwrap();
            assert_eq!(view.membership(&bob.user_id), Some(Membership::Leave));
            assert_eq!(view.membership(&alice.user_id), Some(Membership::Join));
        }
        assert!(f.users.list_departures().await.unwrap().is_empty());
        assert!(f.check().await.is_empty());
    }
}
