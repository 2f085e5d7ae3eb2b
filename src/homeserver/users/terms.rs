//! The documents that new users must accept (C-S API, "Terms of service at registration").

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::config::UsersConfig;

/// A document in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which document, for instance `privacy_policy`.
    pub id: String,
    /// Its version, as clients show it.
    pub version: String,
    /// The language, for instance `en`.
    pub language: String,
    /// Where it can be read.
    pub url: String,
    /// What it is called in that language.
    pub name: String,
}

/// Why a line of `users.policies` is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadPolicy {
    /// A part is missing.
    #[error("`{0}` is not ID VERSION LANGUAGE URL NAME")]
    Form(String),
    /// The address is none that a browser opens.
    #[error("`{0}` does not begin with https:// or http://")]
    Url(String),
    /// The lines of one document differ in its version.
    #[error("`{0}` has two versions")]
    Versions(String),
}

/// Reads lines of the form `ID VERSION LANGUAGE URL NAME`; the name is the rest of the line.
///
/// # Errors
/// The first line that is not understood.
pub fn parse_policies(lines: &[String]) -> Result<Vec<Policy>, BadPolicy> {
    let mut policies: Vec<Policy> = Vec::with_capacity(lines.len());
    for line in lines {
        let policy = parse_policy(line).ok_or_else(|| BadPolicy::Form(line.clone()))?;
        check_url(&policy.url)?;
        if policies.iter().any(|other| other.id == policy.id && other.version != policy.version) {
            return Err(BadPolicy::Versions(policy.id));
        }
        policies.push(policy);
    }
    Ok(policies)
}

fn parse_policy(line: &str) -> Option<Policy> {
    let mut words = line.split_whitespace();
    let mut word = || words.next().map(str::to_owned);
    let (id, version, language, url) = (word()?, word()?, word()?, word()?);
    let name = words.collect::<Vec<_>>().join(" ");
    let is_id = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    (is_id && !name.is_empty()).then_some(Policy { id, version, language, url, name })
}

fn check_url(url: &str) -> Result<(), BadPolicy> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web { Ok(()) } else { Err(BadPolicy::Url(url.to_owned())) }
}

/// Every document that has to be accepted. Lines that are not understood keep the server from starting; where they come
/// here all the same, they are passed over.
pub(super) fn list_policies(config: &UsersConfig) -> Vec<Policy> {
    let terms = config.terms_url.as_ref().map(|url| Policy {
        id: "terms_of_service".to_owned(),
        version: config.terms_version.clone(),
        language: "en".to_owned(),
        url: url.clone(),
        name: "Terms of Service".to_owned(),
    });
    terms.into_iter().chain(parse_policies(&config.policies).unwrap_or_default()).collect()
}

/// The documents as the parameters of `m.login.terms` have them.
pub(super) fn build_terms_params(policies: &[Policy]) -> Value {
    let mut documents: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for policy in policies {
        let document = documents.entry(&policy.id).or_default();
        document.insert("version".to_owned(), policy.version.clone().into());
        document.insert(policy.language.clone(), json!({ "name": policy.name, "url": policy.url }));
    }
    json!({ "policies": documents })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{BadPolicy, build_terms_params, list_policies, parse_policies};
    use crate::users::UsersConfig;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn documents_are_grouped_by_id_with_their_languages() {
        let config = UsersConfig {
            terms_url: Some("https://hs1/terms".to_owned()),
            policies: lines(&[
                "privacy 1.2 en https://hs1/privacy Privacy Policy",
                "privacy 1.2 fr https://hs1/fr/privacy Politique de confidentialité",
            ]),
            ..UsersConfig::default()
        };
        let expected = json!({ "policies": {
            "terms_of_service": { "version": "1.0", "en": { "name": "Terms of Service", "url": "https://hs1/terms" } },
            "privacy": {
                "version": "1.2",
                "en": { "name": "Privacy Policy", "url": "https://hs1/privacy" },
                "fr": { "name": "Politique de confidentialité", "url": "https://hs1/fr/privacy" },
            },
        } });
        assert_eq!(build_terms_params(&list_policies(&config)), expected);
    }

    #[test]
    fn lines_that_are_not_understood_are_named() {
        for line in ["", "privacy", "privacy 1 en https://x", "pri/vacy 1 en https://x Name"] {
            assert_eq!(parse_policies(&lines(&[line])), Err(BadPolicy::Form(line.to_owned())));
        }
        let script = "javascript:alert(1)";
        assert_eq!(
            parse_policies(&lines(&[&format!("privacy 1 en {script} Name")])),
            Err(BadPolicy::Url(script.to_owned()))
        );
        let two = lines(&["privacy 1 en https://x Name", "privacy 2 fr https://x Nom"]);
        assert_eq!(parse_policies(&two), Err(BadPolicy::Versions("privacy".to_owned())));
    }
}
