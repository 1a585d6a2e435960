//! The settings that `rds.modify_instance` changes: as inputs, as outputs, and as an instance has them.
//!
//! **Invariant:** neither public access nor encryption is among them, and backups are never turned off.

use crate::action::context::StepScope;
use crate::action::outcome::ActionError;
use crate::action::spec::Field;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{DbInstance, InstanceChanges};
use std::collections::BTreeMap;

/// Settings; what is `None` is not spoken of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) class: Option<String>,
    pub(super) multi_az: Option<bool>,
    pub(super) backup_retention_days: Option<u32>,
    pub(super) deletion_protection: Option<bool>,
    pub(super) security_groups: Option<Vec<String>>,
    pub(super) parameter_group: Option<String>,
}

/// The inputs that name them.
pub(super) fn inputs() -> Vec<Field> {
    vec![
        Field::optional("class", Type::String, "instance class"),
        Field::optional("multi_az", Type::Bool, "standby in a second zone"),
        Field::optional("backup_retention_days", Type::Int, "days of automated backups, 1 to 35"),
        Field::optional("deletion_protection", Type::Bool, "deletion protection"),
        Field::optional("security_groups", Type::texts(), "security groups, all of them"),
        Field::optional("parameter_group", Type::String, "DB parameter group"),
    ]
}

/// The type of them together.
pub(super) fn settings_type() -> Type {
    let field = |name: &str, kind: Type| (name.to_owned(), kind.or_null());
    Type::Record(BTreeMap::from([
        field("class", Type::String),
        field("multi_az", Type::Bool),
        field("backup_retention_days", Type::Int),
        field("deletion_protection", Type::Bool),
        field("security_groups", Type::texts()),
        field("parameter_group", Type::String),
    ]))
}

/// The inputs that undo a change: the settings before. Protection from deletion that was turned on stays
/// on: turning it off is nobody's undo.
pub(super) fn undo_inputs(inputs: &Values, outputs: &Values) -> Values {
    let before = outputs.get("changed").map(Settings::of_value).unwrap_or_default();
    let before = Settings {
        deletion_protection: before.deletion_protection.filter(|on| *on),
        backup_retention_days: before.backup_retention_days.filter(|days| *days > 0),
        ..before
    };
    let Value::Map(mut undo) = before.value() else { return Values::new() };
    undo.insert("instance".to_owned(), inputs.get("instance").cloned().unwrap_or(Value::Null));
    undo
}

fn sorted(mut groups: Vec<String>) -> Vec<String> {
    groups.sort();
    groups
}

impl Settings {
    /// What the step asks for; nothing at all is allowed, as the undo of a step that changed nothing.
    pub(super) fn wanted(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let days = match scope.int("backup_retention_days") {
            None => None,
            Some(_) => Some(scope.int_within("backup_retention_days", 1..=35, 1)?),
        };
        let groups = scope.texts("security_groups");
        if groups.as_ref().is_some_and(Vec::is_empty) {
            let why = "an instance has one at least".to_owned();
            return Err(ActionError::Input { name: "security_groups".to_owned(), why });
        }
        Ok(Self {
            class: scope.text("class").map(str::to_owned),
            multi_az: scope.boolean("multi_az"),
            backup_retention_days: days,
            deletion_protection: scope.boolean("deletion_protection"),
            security_groups: groups.map(sorted),
            parameter_group: scope.text("parameter_group").map(str::to_owned),
        })
    }

    /// What an instance has.
    pub(super) fn of_instance(found: &DbInstance) -> Self {
        Self {
            class: Some(found.class.clone()),
            multi_az: Some(found.multi_az),
            backup_retention_days: u32::try_from(found.backup_retention_days).ok(),
            deletion_protection: Some(found.deletion_protection),
            security_groups: Some(sorted(found.security_groups.clone())),
            parameter_group: found.parameter_groups.first().map(|(name, _)| name.clone()),
        }
    }

    /// From an output; what is not there, or not known, is not spoken of.
    pub(super) fn of_value(value: &Value) -> Self {
        let Value::Map(fields) = value else { return Self::default() };
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str| match fields.get(name) {
            Some(Value::Bool(on)) => Some(*on),
            _ => None,
        };
        let groups = match fields.get("security_groups") {
            Some(Value::List(items)) => {
                Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            _ => None,
        };
        let days = match fields.get("backup_retention_days") {
            Some(Value::Int(days)) => u32::try_from(*days).ok(),
            _ => None,
        };
        Self {
            class: text("class"),
            multi_az: flag("multi_az"),
            backup_retention_days: days,
            deletion_protection: flag("deletion_protection"),
            security_groups: groups,
            parameter_group: text("parameter_group"),
        }
    }

    /// As an output.
    pub(super) fn value(&self) -> Value {
        let days = self.backup_retention_days.map(i64::from);
        Value::Map(Values::from([
            ("class".to_owned(), Value::optional(self.class.clone())),
            ("multi_az".to_owned(), Value::optional(self.multi_az)),
            ("backup_retention_days".to_owned(), Value::optional(days)),
            ("deletion_protection".to_owned(), Value::optional(self.deletion_protection)),
            ("security_groups".to_owned(), Value::optional(self.security_groups.clone())),
            ("parameter_group".to_owned(), Value::optional(self.parameter_group.clone())),
        ]))
    }

    /// Those of these that `other` has otherwise.
    pub(super) fn without(&self, other: &Self) -> Self {
        fn unless<T: Clone + PartialEq>(one: &Option<T>, other: &Option<T>) -> Option<T> {
            one.clone().filter(|_| one != other)
        }
        Self {
            class: unless(&self.class, &other.class),
            multi_az: unless(&self.multi_az, &other.multi_az),
            backup_retention_days: unless(
                &self.backup_retention_days,
                &other.backup_retention_days,
            ),
            deletion_protection: unless(&self.deletion_protection, &other.deletion_protection),
            security_groups: unless(&self.security_groups, &other.security_groups),
            parameter_group: unless(&self.parameter_group, &other.parameter_group),
        }
    }

    /// Those of these that `others` speak of too.
    pub(super) fn only(&self, others: &Self) -> Self {
        fn if_any<T: Clone, U>(one: &Option<T>, other: &Option<U>) -> Option<T> {
            one.clone().filter(|_| other.is_some())
        }
        Self {
            class: if_any(&self.class, &others.class),
            multi_az: if_any(&self.multi_az, &others.multi_az),
            backup_retention_days: if_any(
                &self.backup_retention_days,
                &others.backup_retention_days,
            ),
            deletion_protection: if_any(&self.deletion_protection, &others.deletion_protection),
            security_groups: if_any(&self.security_groups, &others.security_groups),
            parameter_group: if_any(&self.parameter_group, &others.parameter_group),
        }
    }

    /// Whether none is spoken of.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn pairs(&self) -> Vec<(String, String)> {
        let Value::Map(fields) = self.value() else { return Vec::new() };
        let told = fields.into_iter().filter(|(_, value)| !matches!(value, Value::Null));
        told.map(|(name, value)| (name, value.to_string())).collect()
    }

    /// Their names.
    pub(super) fn names(&self) -> String {
        self.pairs().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    }

    /// Names and values.
    pub(super) fn words(&self) -> String {
        let pairs = self.pairs().into_iter().map(|(name, value)| format!("{name} {value}"));
        pairs.collect::<Vec<_>>().join(", ")
    }

    /// One line for each: what it was and what it will be.
    pub(super) fn differences(&self, was: &Self) -> Vec<String> {
        let before: BTreeMap<String, String> = was.pairs().into_iter().collect();
        let line = |(name, value): (String, String)| {
            let old = before.get(&name).map_or("nothing", String::as_str);
            format!("{name}: {old} becomes {value}")
        };
        self.pairs().into_iter().map(line).collect()
    }

    /// The call that makes them so.
    pub(super) fn changes(&self, instance: &str, immediately: bool) -> InstanceChanges {
        let Self { class, multi_az, backup_retention_days, .. } = self.clone();
        InstanceChanges {
            instance: instance.to_owned(),
            class,
            multi_az,
            backup_retention_days,
            deletion_protection: self.deletion_protection,
            security_groups: self.security_groups.clone(),
            parameter_group: self.parameter_group.clone(),
            immediately,
        }
    }

    /// An instance as it will be with them.
    pub(super) fn applied_to(&self, found: &DbInstance) -> DbInstance {
        let mut changed = found.clone();
        let Self { class, security_groups, parameter_group, .. } = self.clone();
        changed.class = class.unwrap_or(changed.class);
        changed.multi_az = self.multi_az.unwrap_or(changed.multi_az);
        let days = self.backup_retention_days.and_then(|days| i32::try_from(days).ok());
        changed.backup_retention_days = days.unwrap_or(changed.backup_retention_days);
        changed.deletion_protection =
            self.deletion_protection.unwrap_or(changed.deletion_protection);
        changed.security_groups = security_groups.unwrap_or(changed.security_groups);
        if let Some(group) = parameter_group {
            changed.parameter_groups = vec![(group, "pending-reboot".to_owned())];
        }
        changed
    }
}
