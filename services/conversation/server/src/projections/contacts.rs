//! Senders, contacts and templates, as rows.

use feira_codec::Opened;
use feira_events::conversation::{ContactEvent, SenderEvent, TemplateEvent};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::CONTACTS_PROJECTION;
use feira_rows::conversation::{
    CONTACTS, SENDERS, TEMPLATES, approve_template, put_agreed, put_contact, put_sender, put_template,
};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the tables of senders, contacts and templates.
#[derive(Debug)]
pub struct ContactRows;

impl Projection for ContactRows {
    fn id(&self) -> ProjectionId {
        CONTACTS_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&SENDERS, &CONTACTS, &TEMPLATES]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let meta = &record.meta;
        if let Some(SenderEvent::SenderOpened(opened)) = event_of(record)? {
            return Ok(vec![put_sender(meta, &opened)]);
        }
        if let Some(event) = event_of::<TemplateEvent>(record)? {
            return Ok(vec![match event {
                TemplateEvent::TemplateCreated(created) => put_template(meta, &created),
                TemplateEvent::TemplateApproved(approved) => approve_template(meta, &approved),
            }]);
        }
        Ok(match event_of::<ContactEvent>(record)? {
            None => vec![],
            Some(ContactEvent::ContactMet(met)) => vec![put_contact(meta, &met.customer, &met.country)],
            Some(ContactEvent::OptedIn(agreed)) => vec![put_agreed(meta, &agreed.customer, agreed.category, true)],
            Some(ContactEvent::OptedOut(refused)) => {
                vec![put_agreed(meta, &refused.customer, refused.category, false)]
            }
        })
    }
}
