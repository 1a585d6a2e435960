//! Messages to people.
//!
//! **Invariant:** a message is sent once; whether it arrived twice is for its topic to say.

use super::Writer;
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::Publication;
use aws_sdk_sns::operation::RequestId as _;
use aws_sdk_sns::types::MessageAttributeValue;

const PUBLISH: &str = "sns:Publish";

/// The group of our messages in a FIFO topic, which keeps their order.
const GROUP: &str = "drctl";

/// A message that SNS took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// SNS's id of the message.
    pub message_id: String,
    /// AWS's request id.
    pub request_id: Option<String>,
}

impl Writer {
    /// Publishes a message to a topic (SNS `Publish`).
    ///
    /// # Errors
    /// Refused by AWS, or in doubt.
    pub async fn publish(
        &self,
        region: &str,
        publication: &Publication,
    ) -> Result<Published, CloudError> {
        let Publication { topic, subject, message, attributes, token } = publication;
        let failed = |message: String| CloudError {
            class: ErrorClass::Permanent,
            operation: PUBLISH.to_owned(),
            region: region.to_owned(),
            code: None,
            message,
            request_id: None,
        };
        let client = self.shared.clients.sns(region, ClientUse::Writes);
        let mut request = client.publish().topic_arn(topic).message(message);
        request = request.set_subject(subject.clone());
        if topic.ends_with(".fifo") {
            request = request.message_group_id(GROUP).message_deduplication_id(token);
        }
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value);
            let value = value.build().map_err(|error| failed(error.to_string()))?;
            request = request.message_attributes(name, value);
        }
        let call = Call { operation: PUBLISH, region, intent: Intent::Write };
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        let request_id = answer.request_id().map(str::to_owned);
        Ok(Published { message_id: answer.message_id().unwrap_or_default().to_owned(), request_id })
    }
}
