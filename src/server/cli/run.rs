//! From the arguments to the exit code.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;

use super::arguments::{Arguments, Command, ConfigCommand, MediaCommand, TokenCommand, UserCommand};
use super::output::{complain, print, show};
use super::password::read_password;
use crate::admin_socket::{AdminCommand, ask};
use crate::config::{Config, example_file, manual_page};
use crate::runtime::build_runtime;
use crate::{offline, serve};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Runs the program: parses the arguments of the process, does what they say, and tells how it ended.
pub fn run() -> ExitCode {
    // What is not UTF-8 in the environment is no setting of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let arguments = Arguments::parse();
    match dispatch(arguments, environment) {
        Ok(code) => code,
        Err(reason) => {
            complain(&reason);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: Arguments, environment: Vec<(String, String)>) -> Result<ExitCode, String> {
    if let Command::Config(ConfigCommand::Example) = arguments.command {
        print(&example_file());
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Config(ConfigCommand::Manual) = arguments.command {
        print(&manual_page());
        return Ok(ExitCode::SUCCESS);
    }
    let notify = environment.iter().find(|(name, _)| name == serve::NOTIFY_VARIABLE).map(|(_, socket)| socket.clone());
    let config = arguments.sources(environment)?.load().map_err(|error| error.to_string())?;
    let command = match arguments.command {
        Command::Serve(_) => {
            let runtime = build_runtime(config.server.threads).map_err(|error| error.to_string())?;
            runtime.block_on(serve::serve(config, notify)).map_err(|error| error.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Config(_) => {
            serve::check_config(&config).map_err(|error| error.to_string())?;
            print("the configuration is sound\n");
            return Ok(ExitCode::SUCCESS);
        }
        Command::Restore { backup } => {
            print(&format!("{}\n", offline::restore(&config, &backup)?));
            return Ok(ExitCode::SUCCESS);
        }
        Command::Check => AdminCommand::Check,
        Command::Status => AdminCommand::Status {},
        Command::Backup { folder } => AdminCommand::Backup { folder: absolute(&folder)? },
        Command::Reports { limit } => AdminCommand::ListReports { limit },
        Command::User(user) => user_command(user)?,
        Command::Media(MediaCommand::Remove { uri }) => AdminCommand::RemoveMedia { uri },
        Command::Token(token) => token_command(token),
    };
    run_command(&config, command)
}

fn absolute(folder: &Path) -> Result<PathBuf, String> {
    std::path::absolute(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn user_command(command: UserCommand) -> Result<AdminCommand, String> {
    Ok(match command {
        UserCommand::Create { username, password, admin } => {
            AdminCommand::CreateUser { username, password: read_password(password.password)?, admin }
        }
        UserCommand::ResetPassword { user, password, keep_sessions } => {
            AdminCommand::ResetPassword { user, password: read_password(password.password)?, keep_sessions }
        }
        UserCommand::Deactivate { user, erase } => AdminCommand::DeactivateUser { user, erase },
        UserCommand::Promote { user, undo } => AdminCommand::SetAdmin { user, admin: !undo },
    })
}

fn token_command(command: TokenCommand) -> AdminCommand {
    let TokenCommand::Create { token, uses, valid_for } = command;
    let valid_for_ms = valid_for.map(|days| u64::from(days) * DAY_MS);
    AdminCommand::CreateToken { token, uses_allowed: uses, valid_for_ms }
}

/// Asks the running server, or does it here when none runs.
fn run_command(config: &Config, command: AdminCommand) -> Result<ExitCode, String> {
    let runtime = build_runtime(config.server.threads).map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let asked = ask(&config.server.data, &command).await.map_err(|error| error.to_string())?;
        let answer = match asked {
            Some(answer) => answer,
            None if command == (AdminCommand::Status {}) => {
                return Err(format!("no server runs on {}", config.server.data.display()));
            }
            None => offline::run(config, command).await?,
        };
        Ok(show(&answer))
    })
}
