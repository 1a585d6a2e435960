//! `RotateSecret`: a new password in the secret and in the database that the secret's host names.
//!
//! **Invariant:** a rotation changes both or, when there is no such database, nothing; a token that was
//! used rotates nothing a second time.

use super::{Secret, refused, versions};
use crate::base::digest::Digest;
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use crate::sim::state::OldPassword;
use serde_json::{Value, json};

/// Answers the call. The rotation function that it stands for takes no time.
pub(super) fn rotate(
    turn: &mut Turn<'_>,
    secret: &Secret,
    input: &Value,
) -> Result<Value, ApiError> {
    if input["RotateImmediately"] == false {
        let message = "the simulator rotates at once only";
        return Err(refused("InvalidParameterException", message));
    }
    let place = secret.place();
    let made = format!("secret/{place}/rotation/{}", turn.world.requests);
    let token = input["ClientRequestToken"].as_str().map(str::to_owned);
    let id = token.unwrap_or_else(|| uuid(turn.world.seed(), &made));
    let answer = json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": id });
    if versions::all(turn, secret).iter().any(|version| version.id == id) {
        return Ok(answer);
    }
    let stage = json!({ "VersionStage": "AWSCURRENT" });
    let now = versions::value(turn, secret, &stage)?;
    let text = now["SecretString"].as_str().unwrap_or_default();
    let unfit = || refused("InvalidRequestException", "the rotation function found no database");
    let mut fields: Value = serde_json::from_str(text).map_err(|_| unfit())?;
    let host = fields["host"].as_str().unwrap_or_default().to_owned();
    let (region, instance) = database(turn, &host).ok_or_else(unfit)?;
    let mut random = turn.world.seed().stream(&format!("secret/{place}/rotated/{id}"));
    let password: String = (0..24).map(|_| random.alphanumeric()).collect();
    fields["password"] = json!(password);
    let put = json!({ "SecretString": fields.to_string(), "ClientRequestToken": id });
    versions::put(turn, secret, &put)?;
    let at = turn.now;
    let slot = turn.world.regions.get_mut(&region).and_then(|it| it.instances.get_mut(&instance));
    if let Some(found) = slot.and_then(|slot| slot.current.as_mut()) {
        let before = found.settings.password.replace(Digest::of(password.as_bytes()).to_string());
        found.old_passwords.push(OldPassword { until: at, password: before });
    }
    Ok(answer)
}

/// Region and identifier of the instance that has this address.
fn database(turn: &Turn<'_>, host: &str) -> Option<(String, String)> {
    turn.world.regions.iter().find_map(|(region, state)| {
        let there = state.instances.values().filter_map(|slot| slot.current.as_ref());
        let mut there = there.filter(|instance| instance.exists(turn.now));
        let found = there.find(|instance| turn.world.address(region, &instance.id) == host)?;
        Some((region.clone(), found.id.clone()))
    })
}
