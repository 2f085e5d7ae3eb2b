use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use hearth_homeserver::appservice::AppServices;
use hearth_protocol::SeededRng;
use hearth_storage::{Engine, MemoryFaults, Store, StoreOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::{AdminListener, LINE_BYTES_MAX};
use crate::admin_socket::{AdminCommand, Answer, SOCKET_FILE, ask};
use crate::assembly::Homeserver;
use crate::config::Config;
use crate::identity::load_or_make_key;
use crate::system::SystemClock;

/// A homeserver in memory, whose admin socket is in `data`.
async fn start(data: &Path) -> Homeserver {
    let server_name: ruma::OwnedServerName = "h.example".try_into().unwrap();
    let (clock, rng) = (Arc::new(SystemClock::new()), Arc::new(SeededRng::new(7)));
    let options = StoreOptions {
        engine: Engine::Memory(MemoryFaults::default()),
        lanes: 1,
        server_name: server_name.clone(),
        clock: clock.clone(),
        rng: rng.clone(),
    };
    let (store, workers) = Store::open(options).await.unwrap();
    let signer = Arc::new(load_or_make_key(data, &server_name, &*rng).unwrap());
    let env = hearth_homeserver::Env { store, clock, rng, server_name, signer };
    let homeserver = Homeserver::assemble(env, workers, &Config::default(), AppServices::default());
    let listener = AdminListener::bind(data).unwrap();
    let serving = listener.serve(homeserver.operator(data), homeserver.tasks.clone(), homeserver.stop.clone());
    homeserver.tasks.start_listener(serving);
    homeserver
}

async fn say(data: &Path, text: &[u8]) -> Answer {
    let mut stream = UnixStream::connect(data.join(SOCKET_FILE)).await.unwrap();
    let _ = stream.write_all(text).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(&answer).unwrap()
}

fn create(username: &str) -> AdminCommand {
    AdminCommand::CreateUser {
        username: username.to_owned(),
        password: "correct horse battery".to_owned(),
        admin: false,
    }
}

#[tokio::test]
async fn commands_are_run_by_the_server() {
    let data = tempfile::tempdir().unwrap();
    let _homeserver = start(data.path()).await;
    let made = ask(data.path(), &create("alice")).await.unwrap().unwrap();
    assert_eq!(made, Answer::done("created @alice:h.example"));
    let twice = ask(data.path(), &create("alice")).await.unwrap().unwrap();
    assert!(!twice.ok, "{twice:?}");
    let promote = AdminCommand::SetAdmin { user: "alice".to_owned(), admin: true };
    assert!(ask(data.path(), &promote).await.unwrap().unwrap().ok);
    let elsewhere = AdminCommand::SetAdmin { user: "@alice:other.example".to_owned(), admin: true };
    assert!(!ask(data.path(), &elsewhere).await.unwrap().unwrap().ok);
    let status = ask(data.path(), &AdminCommand::Status {}).await.unwrap().unwrap();
    assert!(status.lines[0].contains("serves h.example"), "{status:?}");
}

#[tokio::test]
async fn bad_lines_are_refused_and_harm_nobody() {
    let data = tempfile::tempdir().unwrap();
    let _homeserver = start(data.path()).await;
    let long = vec![b'x'; usize::try_from(LINE_BYTES_MAX).unwrap()];
    let lines: [&[u8]; 5] =
        [b"nonsense\n", b"{\"command\":\"fly\"}\n", b"{\"command\":\"status\",\"x\":1}\n", b"\xff\n", &long];
    for line in lines {
        let answer = say(data.path(), line).await;
        assert!(!answer.ok && answer.lines.len() == 1, "{answer:?}");
    }
    assert!(say(data.path(), b"{\"command\":\"status\"}\n").await.ok);
}

#[tokio::test]
async fn the_socket_is_for_its_owner_and_goes_with_the_server() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join(SOCKET_FILE);
    std::fs::write(&path, "left behind").unwrap();
    let homeserver = start(data.path()).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    homeserver.stop.cancel();
    assert!(homeserver.tasks.finish_connections(std::time::Duration::from_secs(10)).await);
    assert!(!path.exists());
    assert_eq!(ask(data.path(), &AdminCommand::Status {}).await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_with_a_long_path_has_a_socket_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("d".repeat(150));
    std::fs::create_dir(&data).unwrap();
    let _homeserver = start(&data).await;
    assert!(ask(&data, &AdminCommand::Status {}).await.unwrap().unwrap().ok);
}
