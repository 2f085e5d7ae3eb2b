//! What a filter says of relations, which ruma's type leaves out (client-server API, "Filtering": `related_by_rel_types`,
//! `related_by_senders`; MSC3874: `rel_types`, `not_rel_types`).

use std::collections::BTreeSet;

use ruma::OwnedUserId;
use serde::Deserialize;

use crate::event::Event;
use crate::relation::relation_of;

/// Types of relation that one filter may name.
const REL_TYPES_MAX: usize = 20;

/// Lets through only events to which other events relate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelatedBy {
    /// By one of these types of relation; by any without it.
    pub rel_types: Option<Vec<String>>,
    /// Sent by one of these users; by anybody without it.
    pub senders: Option<BTreeSet<OwnedUserId>>,
}

impl RelatedBy {
    /// Whether an event that relates may be of this sender.
    pub fn matches_sender(&self, sender: &str) -> bool {
        self.senders.as_ref().is_none_or(|senders| senders.iter().any(|wanted| wanted.as_str() == sender))
    }
}

/// By which types of relation the events themselves may relate to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RelationTypes {
    only: Option<Vec<String>>,
    not: Vec<String>,
}

impl RelationTypes {
    /// Whether every event passes.
    pub fn is_everything(&self) -> bool {
        self.only.is_none() && self.not.is_empty()
    }

    /// Whether an event passes.
    pub fn matches(&self, event: &Event) -> bool {
        if self.is_everything() {
            return true;
        }
        let relation = relation_of(event).map(|relation| relation.rel_type);
        let is_in = |list: &[String]| relation.as_ref().is_some_and(|relation| list.contains(relation));
        self.only.as_deref().is_none_or(is_in) && !is_in(&self.not)
    }
}

#[derive(Deserialize)]
struct Fields {
    related_by_rel_types: Option<Vec<String>>,
    related_by_senders: Option<BTreeSet<OwnedUserId>>,
    #[serde(alias = "org.matrix.msc3874.rel_types")]
    rel_types: Option<Vec<String>>,
    #[serde(alias = "org.matrix.msc3874.not_rel_types", default)]
    not_rel_types: Vec<String>,
}

/// What a filter of room events says of relations.
///
/// # Errors
/// When a field is not of its form.
pub(crate) fn parse_relations(text: &str) -> Result<(Option<RelatedBy>, RelationTypes), serde_json::Error> {
    let fields: Fields = serde_json::from_str(text)?;
    let cut = |mut list: Vec<String>| {
        list.truncate(REL_TYPES_MAX);
        list
    };
    let related_by = RelatedBy { rel_types: fields.related_by_rel_types.map(cut), senders: fields.related_by_senders };
    let is_asked = related_by.rel_types.is_some() || related_by.senders.is_some();
    let relations = RelationTypes { only: fields.rel_types.map(cut), not: cut(fields.not_rel_types) };
    Ok((Some(related_by).filter(|_| is_asked), relations))
}

#[cfg(test)]
mod tests {
    use super::parse_relations;

    #[test]
    fn what_is_said_of_relations_is_read() {
        let (related_by, types) = parse_relations("{}").unwrap();
        assert!(related_by.is_none() && types == super::RelationTypes::default());
        let text = r#"{"related_by_rel_types":["m.thread"],"related_by_senders":["@a:b"],"rel_types":["m.replace"]}"#;
        let (related_by, types) = parse_relations(text).unwrap();
        let related_by = related_by.unwrap();
        assert!(related_by.matches_sender("@a:b") && !related_by.matches_sender("@c:d"));
        assert_eq!(types.only.as_deref(), Some(&["m.replace".to_owned()][..]));
        assert!(parse_relations(r#"{"related_by_senders":["nobody"]}"#).is_err());
    }
}
