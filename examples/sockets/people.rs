//! Those who measure: users, their devices, and the rooms in which they meet.

use std::net::SocketAddr;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use crate::Failure;
use crate::http::{Http, escape};
use crate::server::{SERVICE_TOKEN, Server};

/// Logins that are made side by side.
const LOGINS_AT_ONCE: usize = 32;

/// A device that is logged in, and where its syncing begins.
#[derive(Clone)]
pub struct Device {
    pub token: String,
    pub since: String,
}

/// Many devices in one room.
pub struct Crowd {
    /// Those of one user stand together.
    pub devices: Vec<Device>,
    per_user: usize,
    /// As it stands in a path.
    pub room: String,
}

/// Two who write to each other, in a room of their own.
pub struct Pair {
    pub sender: Device,
    pub receiver: Device,
    /// As it stands in a path.
    pub room: String,
}

/// Makes `users` users in one room, with `devices` devices each.
pub async fn make_crowd(server: &Server, users: usize, devices: usize) -> Result<Crowd, Failure> {
    let names: Vec<String> = (0..users).map(|number| format!("load_{number}")).collect();
    let room = make_room(server.address, &names).await?;
    // Side by side are different users: logins of the same one come in each other's way.
    let one_each = std::iter::repeat_n(names, devices).flatten();
    let tokens: Vec<String> =
        stream::iter(one_each).map(|name| log_in(server.address, name)).buffered(LOGINS_AT_ONCE).try_collect().await?;
    let of_user = |user: usize| tokens.iter().skip(user).step_by(users);
    let device = |token: &String| Device { token: token.clone(), since: String::new() };
    let all = (0..users).flat_map(of_user).map(device).collect();
    let crowd = Crowd { devices: all, per_user: devices, room };
    crowd.refreshed(server.address).await
}

impl Crowd {
    /// The same with devices that have heard everything so far.
    pub async fn refreshed(&self, address: SocketAddr) -> Result<Self, Failure> {
        let mut devices = Vec::new();
        for of_user in self.devices.chunks(self.per_user) {
            let since = load_position(address, &of_user[0].token).await?;
            devices.extend(of_user.iter().map(|device| Device { token: device.token.clone(), since: since.clone() }));
        }
        Ok(Self { devices, room: self.room.clone(), per_user: self.per_user })
    }
}

/// Makes pairs; no two pairs that were made under different `label`s share anybody.
pub async fn make_pairs(server: &Server, label: &str, pairs: usize) -> Result<Vec<Pair>, Failure> {
    let mut made = Vec::new();
    for number in 0..pairs {
        let names = [format!("load_{label}_{number}_a"), format!("load_{label}_{number}_b")];
        let room = make_room(server.address, &names).await?;
        let mut devices = Vec::new();
        for name in names {
            let token = log_in(server.address, name).await?;
            let since = load_position(server.address, &token).await?;
            devices.push(Device { token, since });
        }
        let (receiver, sender) = (devices.pop().ok_or("no device")?, devices.pop().ok_or("no device")?);
        made.push(Pair { sender, receiver, room });
    }
    Ok(made)
}

/// Registers users and lets them join a room of the first one; gives the room as it stands in a path.
async fn make_room(address: SocketAddr, names: &[String]) -> Result<String, Failure> {
    let mut service = Http::connect(address, SERVICE_TOKEN).await?;
    let mut room = None;
    for name in names {
        let body = json!({ "type": "m.login.application_service", "username": name, "inhibit_login": true });
        service.json("POST", "/register", &body).await?;
        let whom = escape(&format!("@{name}:localhost"));
        let made = match &room {
            None => {
                let body = json!({ "preset": "public_chat" });
                service.json("POST", &format!("/createRoom?user_id={whom}"), &body).await?
            }
            Some(room) => service.json("POST", &format!("/join/{room}?user_id={whom}"), &json!({})).await?,
        };
        room.get_or_insert(escape(&text_of(&made, "room_id")?));
    }
    room.ok_or_else(|| "nobody to be in a room".into())
}

async fn log_in(address: SocketAddr, name: String) -> Result<String, Failure> {
    let body = json!({ "type": "m.login.application_service", "identifier": { "type": "m.id.user", "user": name } });
    text_of(&Http::connect(address, SERVICE_TOKEN).await?.json("POST", "/login", &body).await?, "access_token")
}

async fn load_position(address: SocketAddr, token: &str) -> Result<String, Failure> {
    let answer = Http::connect(address, token).await?.json("GET", "/sync?timeout=0", &Value::Null).await?;
    Ok(escape(&text_of(&answer, "next_batch")?))
}

fn text_of(value: &Value, field: &str) -> Result<String, Failure> {
    Ok(value[field].as_str().ok_or_else(|| format!("no {field}: {value}"))?.to_owned())
}
