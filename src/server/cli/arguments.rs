//! The arguments, as `--help` shows them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Sources;

/// A Matrix homeserver.
#[derive(Debug, Parser)]
#[command(name = "hearth", version, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) settings: SettingFlags,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags that override the configuration; good before and after the command.
#[derive(Debug, Args)]
pub(super) struct SettingFlags {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", env = "HEARTH_CONFIG")]
    config: Option<PathBuf>,
    /// The data folder.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// The server name: what follows the colon in user ids.
    #[arg(long, global = true, value_name = "NAME")]
    server_name: Option<String>,
    /// Any setting, for instance --set storage.durability=os. May be repeated.
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server.
    Serve(ServeFlags),
    /// Check the database's invariants, of the running server or on disk.
    Check,
    /// Say how the running server does.
    Status,
    /// Write a backup, also while the server runs.
    Backup {
        /// A new or empty folder.
        folder: PathBuf,
    },
    /// Put a backup into the data folder, which must hold no database yet.
    Restore {
        /// The folder that `hearth backup` wrote.
        backup: PathBuf,
    },
    /// Make and change accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Look after uploaded files.
    #[command(subcommand)]
    Media(MediaCommand),
    /// Make registration tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print what users have reported, the newest first: milliseconds since 1970, who, what, why.
    Reports {
        /// How many.
        #[arg(long, default_value_t = 100)]
        limit: u16,
    },
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Args)]
pub(super) struct ServeFlags {
    /// Where to listen, without TLS: IP:PORT, localhost:PORT or unix:PATH. May be repeated.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<String>,
    /// Who may register.
    #[arg(long, value_name = "closed|token|open")]
    registration: Option<String>,
    /// Whether requests are limited in their rate.
    #[arg(long, value_name = "on|off")]
    rate_limits: Option<Switch>,
    /// What an acknowledgement means: on disk, or with the operating system.
    #[arg(long, value_name = "sync|os")]
    durability: Option<String>,
    /// Where to serve /metrics, /health and /ready.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<String>,
    /// What to log: error, warn, info, debug, trace, or a list of modules with levels.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Switch {
    On,
    Off,
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make an account.
    Create {
        /// The part of the user id between @ and colon.
        username: String,
        #[command(flatten)]
        password: PasswordFlags,
        /// Let it use the administration endpoints.
        #[arg(long)]
        admin: bool,
    },
    /// Set a new password.
    ResetPassword {
        /// User id or its part between @ and colon.
        user: String,
        #[command(flatten)]
        password: PasswordFlags,
        /// Leave the user's devices logged in.
        #[arg(long)]
        keep_sessions: bool,
    },
    /// End an account for ever. Its name stays taken.
    Deactivate {
        /// User id or its part between @ and colon.
        user: String,
        /// Hide the user's messages from those who join later.
        #[arg(long)]
        erase: bool,
    },
    /// Make an account an administrator's.
    Promote {
        /// User id or its part between @ and colon.
        user: String,
        /// Make it no administrator's any more.
        #[arg(long)]
        undo: bool,
    },
}

/// Where the password comes from; without a flag, from a prompt, or from standard input if that is no terminal.
#[derive(Debug, Args)]
pub(super) struct PasswordFlags {
    /// The password. Others on this machine may see it in the list of processes.
    #[arg(long)]
    pub(super) password: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum MediaCommand {
    /// Remove a file for good: nobody gets it any more.
    Remove {
        /// Its mxc:// URI.
        uri: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a registration token, and print it.
    Create {
        /// The token; made up when left out.
        token: Option<String>,
        /// How many accounts it may make; any number when left out.
        #[arg(long, value_name = "COUNT")]
        uses: Option<u32>,
        /// For how many days it is good; for ever when left out.
        #[arg(long, value_name = "DAYS")]
        valid_for: Option<u32>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration without starting anything.
    Check,
    /// Print an example file with all settings.
    Example,
    /// Print the manual of all settings.
    Manual,
}

impl Arguments {
    /// Where the configuration comes from, given these arguments.
    ///
    /// # Errors
    ///
    /// When `--set` has no equals sign.
    pub(super) fn sources(&self, environment: Vec<(String, String)>) -> Result<Sources, String> {
        let mut flags = Vec::new();
        let mut flag = |path: &str, value: Option<String>| {
            flags.extend(value.map(|value| (path.to_owned(), value)));
        };
        for setting in &self.settings.set {
            let (path, value) =
                setting.split_once('=').ok_or_else(|| format!("--set {setting}: expected SECTION.KEY=VALUE"))?;
            flag(path, Some(value.to_owned()));
        }
        flag("server.data", self.settings.data.clone());
        flag("server.name", self.settings.server_name.clone());
        if let Command::Serve(serve) = &self.command {
            flag("listeners.addresses", (!serve.listen.is_empty()).then(|| serve.listen.join(",")));
            flag("users.registration", serve.registration.clone());
            flag("rate_limits.enabled", serve.rate_limits.map(|switch| matches!(switch, Switch::On).to_string()));
            flag("storage.durability", serve.durability.clone());
            flag("metrics.address", serve.metrics.clone());
            flag("logging.filter", serve.log.clone());
        }
        Ok(Sources { file: self.settings.config.clone(), environment, flags })
    }
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
