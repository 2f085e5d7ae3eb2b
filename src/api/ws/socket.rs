//! The life of one socket: a single task that waits for whichever comes first of a frame, a body, a reply, a change of
//! the user's sessions, the heartbeat, and the end of the server.

use std::{convert::Infallible, net::IpAddr, pin::Pin, time::Duration};

use axum::Router;
use hearth_homeserver::users::Users;
use http::HeaderValue;
use tokio::time::{Sleep, sleep};

use super::{
    calls::{Calls, Origin, write_error},
    close::Close,
    codec::{Broken, Message},
    frame::{AnswerKind, ClientFrame, Hello, parse_frame, write_frame},
    session::{Session, close_for},
    sockets::{Seat, Sockets},
    syncs::{Produced, Source, Syncs},
    wire::{Wire, WireEvent},
};
use crate::{client::sync::read_path, client_address::ConnectionPlace, state::AppState};

/// Heartbeats in which a client may be silent.
const SILENT_HEARTBEATS_MAX: u32 = 2;

/// What a socket is given.
pub struct Around {
    pub state: AppState,
    /// What serves its calls.
    pub calls: Router,
    /// Whence the client comes.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub user_agent: Option<HeaderValue>,
    /// Held for as long as the socket lives.
    pub place: Option<ConnectionPlace>,
}

/// One socket.
pub struct Socket {
    wire: Wire,
    state: AppState,
    address: Option<IpAddr>,
    user_agent: Option<HeaderValue>,
    _place: Option<ConnectionPlace>,
    member: Option<Member>,
    syncs: Syncs,
    calls: Calls,
    beat: Pin<Box<Sleep>>,
    /// Set while the token runs out.
    expiry: Option<Pin<Box<Sleep>>>,
    is_heard: bool,
    silent_heartbeats: u32,
}

/// Who is there, once that is known.
struct Member {
    session: Session,
    seat: Seat,
}

/// What comes next.
enum Step {
    Wire(WireEvent),
    Produced(usize, Produced),
    Reply(String),
    Rung,
    Beat,
    Expired,
    Stop,
}

/// How a socket ends.
enum End {
    /// The other end is gone.
    Gone,
    /// The other end has closed, with this code.
    Closed(Option<u16>),
    /// We close.
    Close(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl Socket {
    /// A socket of which it is not known yet who is there.
    pub fn new(wire: Wire, around: Around) -> Box<Self> {
        let Around { state, calls, address, user_agent, place } = around;
        let config = state.sockets().config();
        // In a place of its own: a future that holds it would hold it several times over.
        Box::new(Self {
            wire,
            address,
            user_agent,
            _place: place,
            member: None,
            syncs: Syncs::new(config),
            calls: Calls::new(calls, config.calls_in_flight_max),
            beat: Box::pin(sleep(millis(config.auth_timeout_ms))),
            expiry: None,
            is_heard: false,
            silent_heartbeats: 0,
            state,
        })
    }

    /// Runs it to its end. `session` is who opened it, if the upgrade said so.
    pub async fn run(mut self: Box<Self>, session: Option<Session>) {
        let end = match self.live(session).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        // What runs on it ends at once; only the close frame may take its time.
        self.syncs.end_all();
        self.calls.cancel_all();
        self.member = None;
        match end {
            End::Gone => {}
            End::Closed(code) => self.wire.close_back(code).await,
            End::Close(close) => self.wire.close(close).await,
        }
    }

    async fn live(&mut self, session: Option<Session>) -> Result<Infallible, End> {
        if let Some(session) = session {
            Box::pin(self.admit(session)).await?;
        }
        loop {
            let step = self.step().await;
            // Apart, so that a socket that waits takes no room for what it does now and then.
            Box::pin(self.take(step)).await?;
        }
    }

    async fn step(&mut self) -> Step {
        let is_idle = self.wire.is_idle();
        let (state, member) = (&self.state, self.member.as_ref());
        let source = member.map(|member| Source { sync: state.sync(), user: &member.session.user, stop: state.stop() });
        let rung = async {
            match member {
                Some(member) => member.seat.rung().await,
                None => std::future::pending().await,
            }
        };
        let expired = async {
            match &mut self.expiry {
                Some(expiry) => expiry.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = self.wire.next() => Step::Wire(event),
            (index, produced) = self.syncs.next(source), if is_idle => Step::Produced(index, produced),
            reply = self.calls.next(), if is_idle => Step::Reply(reply),
            () = rung => Step::Rung,
            () = &mut self.beat => Step::Beat,
            () = expired => Step::Expired,
            () = state.stop().cancelled() => Step::Stop,
        }
    }

    async fn take(&mut self, step: Step) -> Result<(), End> {
        match step {
            Step::Wire(event) => self.take_event(event).await?,
            Step::Produced(index, produced) => self.take_produced(index, produced).await?,
            Step::Reply(frame) => self.wire.send(&frame),
            Step::Rung | Step::Expired => self.check_session().await?,
            Step::Beat => {
                self.take_beat()?;
                self.check_session().await?;
            }
            Step::Stop => {
                let bye = Bye { op: "bye", after_ms: self.sockets().reconnect_after_ms() };
                self.wire.send(&write_frame(&bye));
                return Err(Close::Restart.into());
            }
        }
        Ok(())
    }

    async fn take_event(&mut self, event: WireEvent) -> Result<(), End> {
        let message = match event {
            WireEvent::Received(message) => message,
            WireEvent::Drained => return Ok(()),
            WireEvent::Ended => return Err(End::Gone),
            WireEvent::Broken(Broken::TooLarge) => return Err(Close::TooLarge.into()),
            WireEvent::Broken(Broken::Protocol) => return Err(Close::BadFrame("This is no WebSocket frame.").into()),
        };
        self.is_heard = true;
        match message {
            Message::Text(text) => self.take_text(&text).await,
            Message::Binary => Err(Close::BadFrame("Frames are text.").into()),
            Message::Close(code) => Err(End::Closed(code)),
            Message::Ping(payload) => {
                self.wire.pong(&payload);
                Ok(())
            }
            Message::Pong => Ok(()),
        }
    }

    async fn take_text(&mut self, text: &str) -> Result<(), End> {
        let frame = parse_frame(text).map_err(Close::BadFrame)?;
        if let ClientFrame::Auth { token } = frame {
            return self.authenticate(token.into_owned()).await;
        }
        let Some(member) = &self.member else {
            return Err(Close::BadFrame("The first frame is `auth`.").into());
        };
        match frame {
            ClientFrame::Auth { .. } | ClientFrame::Pong => {}
            ClientFrame::Ping => self.wire.send(r#"{"op":"pong"}"#),
            ClientFrame::Sync { id, conn_id, path } => self.start_sync(id, conn_id, &path).await,
            ClientFrame::Stop { id } => self.syncs.stop(&id),
            ClientFrame::Ack { id, seq } => {
                let now_ms = self.sockets().monotonic_ms();
                self.syncs.ack(&id, seq, now_ms).map_err(Close::BadFrame)?;
            }
            ClientFrame::Call(call) => {
                self.state.sockets().note_call();
                let origin = Origin {
                    token: &member.session.token,
                    address: self.address,
                    user_agent: self.user_agent.as_ref(),
                };
                if let Some(refusal) = self.calls.start(call, &origin).map_err(Close::BadFrame)? {
                    self.wire.send(&refusal);
                }
            }
            ClientFrame::Cancel { id } => self.calls.cancel(&id),
        }
        Ok(())
    }

    async fn authenticate(&mut self, token: String) -> Result<(), End> {
        let users = self.state.users();
        if let Some(member) = &mut self.member {
            member.session.renew(users, token).await?;
            self.greet();
            return Ok(());
        }
        let session = Session::open(users, token).await.map_err(|error| close_for(&error))?;
        self.admit(session).await
    }

    async fn admit(&mut self, session: Session) -> Result<(), End> {
        self.record_seen(&session);
        let seat = self.sockets().sit(&session.user);
        self.member = Some(Member { session, seat });
        // The session may have ended before anybody listened for that.
        self.check_session().await?;
        self.reset_beat();
        self.greet();
        Ok(())
    }

    fn record_seen(&self, session: &Session) {
        let user_agent = self.user_agent.as_ref().and_then(|agent| agent.to_str().ok());
        self.users().record_seen(&session.user, self.address, user_agent);
    }

    fn greet(&mut self) {
        self.watch_expiry();
        let Some(Member { session, .. }) = &self.member else { return };
        let hello = write_frame(&Hello {
            op: "hello",
            user_id: session.user.user_id.as_str(),
            device_id: session.user.device_id.as_str(),
            heartbeat_ms: self.sockets().config().heartbeat_ms,
            limits: self.sockets().frame_limits(),
        });
        self.wire.send(&hello);
    }

    async fn start_sync(&mut self, id: String, conn_id: String, path: &str) {
        let Some(Member { session, seat }) = &self.member else { return };
        let room = self.syncs.make_room(&id, &conn_id);
        let request = match room {
            Ok(()) => read_path(self.state.sync(), self.state.users(), &session.user, path).await,
            Err(error) => Err(error),
        };
        match request {
            Ok(request) => {
                let holding = seat.hold(&session.user, &conn_id);
                self.syncs.start(id, conn_id, request, holding);
            }
            Err(error) => self.wire.send(&write_error(AnswerKind::Error, &id, error)),
        }
    }

    async fn take_produced(&mut self, index: usize, produced: Produced) -> Result<(), End> {
        let body = match produced {
            Produced::Body(body) => body,
            Produced::Error(error) => {
                let id = self.syncs.end(index);
                self.wire.send(&write_error(AnswerKind::Error, &id, error));
                return Ok(());
            }
        };
        // It may have been computed while the session ended.
        self.check_session().await?;
        let now_ms = self.sockets().monotonic_ms();
        if let Some(frame) = self.syncs.take(index, body, now_ms) {
            self.sockets().note_body();
            self.wire.send(&frame);
        }
        Ok(())
    }

    async fn check_session(&mut self) -> Result<(), End> {
        let Some(Member { session, seat }) = &mut self.member else { return Ok(()) };
        if seat.is_replaced() {
            return Err(Close::Replaced.into());
        }
        session.check(self.state.users()).await?;
        self.watch_expiry();
        Ok(())
    }

    /// Wakes when the token runs out.
    fn watch_expiry(&mut self) {
        let now_ms = self.sockets().now_ms();
        let expires = self.member.as_ref().and_then(|member| member.session.expires);
        self.expiry =
            expires.map(|expires| Box::pin(sleep(Duration::from_millis(expires.0.saturating_sub(now_ms) + 1))));
    }

    fn take_beat(&mut self) -> Result<(), End> {
        if self.member.is_none() {
            return Err(Close::NoAuth.into());
        }
        let sockets = self.state.sockets();
        if self.syncs.is_overdue(sockets.monotonic_ms(), u64::from(sockets.config().ack_timeout_ms)) {
            return Err(Close::TooSlow.into());
        }
        self.silent_heartbeats = if self.is_heard { 0 } else { self.silent_heartbeats + 1 };
        self.is_heard = false;
        if self.silent_heartbeats >= SILENT_HEARTBEATS_MAX {
            return Err(End::Gone);
        }
        if let Some(Member { session, .. }) = &self.member {
            self.record_seen(session);
        }
        self.wire.ping();
        self.reset_beat();
        Ok(())
    }

    fn reset_beat(&mut self) {
        self.beat = Box::pin(sleep(millis(self.sockets().config().heartbeat_ms)));
    }

    fn sockets(&self) -> &Sockets {
        self.state.sockets()
    }

    fn users(&self) -> &Users {
        self.state.users()
    }
}

/// The server goes down.
#[derive(serde::Serialize)]
struct Bye {
    op: &'static str,
    after_ms: u32,
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
