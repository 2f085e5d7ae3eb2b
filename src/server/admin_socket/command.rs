//! What the operator can ask for, and how it is done.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearth_homeserver::Env;
use hearth_homeserver::admin::{ReportInfo, Reporting};
use hearth_homeserver::flows::Flows;
use hearth_homeserver::media::Media;
use hearth_homeserver::rooms::Rooms;
use hearth_homeserver::users::{EndSessions, NewRegistrationToken, NewUser, Users};
use ruma::{MxcUri, OwnedUserId, UserId};
use serde::{Deserialize, Serialize};

use crate::assembly::MEDIA_FOLDER;
use crate::identity::KEY_FILE;
use crate::workers::Tasks;

/// Findings that one answer names; the rest is counted.
const FINDINGS_SHOWN_MAX: usize = 1_000;

/// One command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminCommand {
    /// How the server does.
    Status {},
    /// Makes an account.
    CreateUser {
        /// The part of the id between `@` and `:`.
        username: String,
        /// Its password.
        password: String,
        /// May it use the administration endpoints?
        admin: bool,
    },
    /// Sets a new password.
    ResetPassword {
        /// Id or localpart.
        user: String,
        /// The new one.
        password: String,
        /// Leaves the user's devices logged in.
        keep_sessions: bool,
    },
    /// Ends an account for ever.
    DeactivateUser {
        /// Id or localpart.
        user: String,
        /// Hides the user's messages from those who join later.
        erase: bool,
    },
    /// Makes an account an administrator's, or no longer one.
    SetAdmin {
        /// Id or localpart.
        user: String,
        /// Which of both.
        admin: bool,
    },
    /// Makes a registration token.
    CreateToken {
        /// The token; made up when left out.
        token: Option<String>,
        /// How many accounts it may make.
        uses_allowed: Option<u32>,
        /// How long it is good for, in milliseconds.
        valid_for_ms: Option<u64>,
    },
    /// Tells what users have reported.
    ListReports {
        /// How many, the newest.
        limit: u16,
    },
    /// Removes an uploaded file for good.
    RemoveMedia {
        /// Its `mxc://` URI.
        uri: String,
    },
    /// Checks the database's invariants, and that every file is there.
    Check,
    /// Writes a backup.
    Backup {
        /// The folder to write it to: an absolute path; new or empty.
        folder: PathBuf,
    },
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether all is well.
    pub ok: bool,
    /// What to tell the operator.
    pub lines: Vec<String>,
}

impl Answer {
    /// It was done.
    pub fn done(line: impl Into<String>) -> Self {
        Self { ok: true, lines: vec![line.into()] }
    }

    /// It was not done.
    pub fn refused(line: impl Into<String>) -> Self {
        Self { ok: false, lines: vec![line.into()] }
    }
}

/// Does what the operator asks. Cheap to clone.
#[derive(Clone)]
pub struct Operator(Arc<OperatorParts>);

/// What an operator's commands work with.
pub struct OperatorParts {
    /// What all parts share.
    pub env: Env,
    /// Accounts.
    pub users: Users,
    /// Files.
    pub media: Media,
    /// Rooms.
    pub rooms: Rooms,
    /// Operations over several parts.
    pub flows: Flows,
    /// What users have reported.
    pub reporting: Reporting,
    /// Workers and connections.
    pub tasks: Tasks,
    /// The server's data folder.
    pub data: PathBuf,
}

impl Operator {
    /// An operator of these parts.
    pub fn new(parts: OperatorParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Runs one command to its end.
    pub async fn run(&self, command: AdminCommand) -> Answer {
        let done = match command {
            AdminCommand::Status {} => Ok(self.status()),
            AdminCommand::CreateUser { username, password, admin } => self.create_user(username, password, admin).await,
            AdminCommand::ResetPassword { user, password, keep_sessions } => {
                self.reset_password(&user, password, keep_sessions).await
            }
            AdminCommand::DeactivateUser { user, erase } => self.deactivate(&user, erase).await,
            AdminCommand::SetAdmin { user, admin } => self.set_admin(&user, admin).await,
            AdminCommand::CreateToken { token, uses_allowed, valid_for_ms } => {
                self.create_token(token, uses_allowed, valid_for_ms).await
            }
            AdminCommand::ListReports { limit } => self.list_reports(limit).await,
            AdminCommand::RemoveMedia { uri } => self.remove_media(&uri).await,
            AdminCommand::Check => self.check().await,
            AdminCommand::Backup { folder } => self.backup(&folder).await,
        };
        done.unwrap_or_else(Answer::refused)
    }

    fn status(&self) -> Answer {
        let running_s = self.0.env.clock.monotonic_ms() / 1_000;
        let version = env!("CARGO_PKG_VERSION");
        let mut lines = vec![
            format!("Hearth {version} serves {} for {running_s} s", self.0.env.server_name),
            format!("connections: {}", self.0.tasks.connection_count()),
        ];
        lines.extend(self.0.tasks.list_workers().into_iter().map(|worker| {
            let state = format!("{:?}", worker.state).to_lowercase();
            format!("worker {}: {state}, {} restarts, follows {}", worker.name, worker.restarts, worker.follows)
        }));
        Answer { ok: true, lines }
    }

    async fn create_user(&self, username: String, password: String, is_admin: bool) -> Result<Answer, String> {
        let new = NewUser { username, password: Some(password), is_admin, ..NewUser::default() };
        let made = self.0.users.create_user(new).await.map_err(|error| error.to_string())?;
        Ok(Answer::done(format!("created {}", made.user_id)))
    }

    async fn reset_password(&self, user: &str, password: String, keep_sessions: bool) -> Result<Answer, String> {
        let user = self.parse_user(user)?;
        let sessions = if keep_sessions { EndSessions::Keep } else { EndSessions::All };
        let done = self.0.users.reset_password(&user, password, sessions).await;
        done.map_err(|error| error.to_string())?;
        Ok(Answer::done(format!("{user} has a new password")))
    }

    async fn deactivate(&self, user: &str, erase: bool) -> Result<Answer, String> {
        let user = self.parse_user(user)?;
        let account = self.0.users.act_for(&user).await.map_err(|error| error.to_string())?;
        let account = account.ok_or_else(|| format!("there is no user {user}"))?;
        self.0.flows.deactivate(&account, erase).await.map_err(|error| error.to_string())?;
        Ok(Answer::done(format!("{user} is deactivated")))
    }

    async fn set_admin(&self, user: &str, admin: bool) -> Result<Answer, String> {
        let user = self.parse_user(user)?;
        self.0.users.set_admin(&user, admin).await.map_err(|error| error.to_string())?;
        let is = if admin { "is an administrator" } else { "is no administrator any more" };
        Ok(Answer::done(format!("{user} {is}")))
    }

    async fn create_token(
        &self,
        token: Option<String>,
        uses_allowed: Option<u32>,
        valid_for_ms: Option<u64>,
    ) -> Result<Answer, String> {
        let expires_ms = valid_for_ms.map(|ms| self.0.env.clock.now().plus_ms(ms).0);
        let new = NewRegistrationToken { token, length: None, uses_allowed, expires_ms };
        let made = self.0.users.create_registration_token(new).await;
        Ok(Answer::done(made.map_err(|error| error.to_string())?))
    }

    async fn list_reports(&self, limit: u16) -> Result<Answer, String> {
        let reports = self.0.reporting.list_reports(limit.into()).await.map_err(|error| error.to_string())?;
        let lines = reports.into_iter().map(|ReportInfo { reported_ms, report }| {
            let parts = [("room", report.room_id), ("event", report.event_id), ("user", report.user_id)];
            let about: String = parts.into_iter().filter_map(|(name, id)| Some(format!(" {name} {}", id?))).collect();
            format!("{reported_ms} {} reports{about}: {:?}", report.reporter, report.reason)
        });
        Ok(Answer { ok: true, lines: lines.collect() })
    }

    async fn remove_media(&self, uri: &str) -> Result<Answer, String> {
        let parsed = <&MxcUri>::from(uri);
        let (server, media_id) = parsed.parts().map_err(|error| format!("{uri} is no mxc URI: {error}"))?;
        self.0.media.remove(server, media_id).await.map_err(|error| error.to_string())?;
        Ok(Answer::done(format!("{uri} is removed")))
    }

    async fn check(&self) -> Result<Answer, String> {
        let rows = self.0.env.store.check().await.map_err(|error| error.to_string())?;
        let rooms = self.0.rooms.reader().check_all_rooms(&self.0.env.server_name).await;
        let rooms = rooms.map_err(|error| error.to_string())?;
        let media = self.0.media.check().await.map_err(|error| error.to_string())?;
        let count = rows.len() + rooms.len() + media.len();
        if count == 0 {
            return Ok(Answer::done("nothing found"));
        }
        let of_rows =
            rows.into_iter().map(|found| format!("table {}, key {}: {}", found.table, found.key, found.problem));
        let of_rooms = rooms.into_iter().map(|found| format!("room {}: {}", found.room_id, found.text));
        let mut lines: Vec<String> = of_rows.chain(of_rooms).chain(media).take(FINDINGS_SHOWN_MAX).collect();
        lines.push(format!("{count} findings"));
        Ok(Answer { ok: false, lines })
    }

    async fn backup(&self, folder: &Path) -> Result<Answer, String> {
        if !folder.is_absolute() {
            return Err("the folder of a backup must be an absolute path".to_owned());
        }
        self.0.env.store.backup(folder).await.map_err(|error| error.to_string())?;
        let (from, to) = (self.0.data.join(KEY_FILE), folder.join(KEY_FILE));
        fs::copy(&from, &to).map_err(|error| format!("cannot copy the signing key to {}: {error}", to.display()))?;
        let files = self.0.data.join(MEDIA_FOLDER).join("files");
        let lines = vec![
            format!("backup written to {}", folder.display()),
            format!("uploaded files are not in it: copy {} too, now that the backup is made", files.display()),
        ];
        Ok(Answer { ok: true, lines })
    }

    /// The user of this server that an id or a localpart means.
    fn parse_user(&self, user: &str) -> Result<OwnedUserId, String> {
        let parsed = UserId::parse_with_server_name(user, &self.0.env.server_name);
        let parsed = parsed.map_err(|error| format!("{user} is no user id: {error}"))?;
        if self.0.users.is_local(&parsed) { Ok(parsed) } else { Err(format!("{parsed} is not a user of this server")) }
    }
}
