//! Every code of a problem in a file, with what it means.
//!
//! **Invariant:** a code keeps its meaning for ever; codes are never reused.

/// Codes of problems and one sentence each; [`crate::runbook::explain`] has the rest.
pub const CODES: [(&str, &str); 65] = [
    ("DR001", "The file cannot be read as one YAML document."),
    ("DR002", "A map with fields is needed here."),
    ("DR003", "A field that must be there is missing."),
    ("DR004", "A field holds a value of the wrong type."),
    ("DR005", "The field does not exist here; misspelt names are not ignored."),
    ("DR006", "`apiVersion` or `kind` is not the expected one."),
    ("DR007", "An AWS account id has twelve digits."),
    ("DR008", "An endpoint is an http or https address."),
    ("DR009", "The file is too large, is no regular file, or is not UTF-8 text."),
    (NAME, "A name or step id has characters that it cannot have, or is too long."),
    (DUPLICATE_STEP, "Two steps have one id."),
    (UNKNOWN_ACTION, "The action in `uses` does not exist."),
    (NEEDS, "`needs` names a step that does not exist, itself, or one step twice."),
    (CYCLE, "Steps need each other in a circle, so none of them can start."),
    (NOT_EXECUTABLE, "The field belongs to the language, and this version cannot execute it."),
    (PARAMETER, "A parameter is declared in a way that cannot work."),
    (MEASURE, "`measure` names a step that does not exist or cannot be measured."),
    (FOR_EACH, "`for_each` is not a list of distinct texts or whole numbers known at plan time."),
    (UNKNOWN_INPUT, "The action has no such input."),
    (MISSING_INPUT, "An input that the action needs is missing."),
    (INPUT_TYPE, "An input has a value of the wrong type."),
    (RANGE, "A number or a duration is out of its range, or there is too much of something."),
    (SYNTAX, "The expression cannot be parsed."),
    (UNKNOWN_NAME, "An expression names something that does not exist."),
    (NOT_UPSTREAM, "An expression refers to a step that is not upstream through `needs`."),
    (EXPANDED, "An expression refers to a step with `for_each` from outside its expansion."),
    (TYPE, "An expression applies an operation to types that do not go together."),
    (INTERPOLATION, "A secret, a list or a map cannot stand inside text."),
    (NOT_HERE, "This root of expressions is not available at this place."),
    (ZERO, "An expression divides by a zero that is written in it."),
    (DISCLOSED, "A secret is written in the file."),
    (SCHEDULE, "A schedule is cron text with five fields."),
    (DRILL_PARAMETER, "A parameter that a drill gives does not fit its runbook."),
    (DRILL_REFERENCE, "A drill names a runbook, an estate or an environment that it cannot use."),
    (FILE_NAME, "The `name` of a document is not the name of its file."),
    (UNUSED_PARAMETER, "A parameter that no expression uses."),
    (UNUSED_STEP, "A step that changes something and that nothing waits for."),
    (IRREVERSIBLE, "A step that cannot be undone and that does not say so."),
    (ENDLESS_GATE, "A gate without a time-out."),
    (UNMEASURED, "An objective that no step can measure."),
    (UNHEEDED_GATE, "A gate that no step waits for."),
    (UNCOUNTED_HEARTBEAT, "A heartbeat that the measured recovery point leaves out."),
    (TOO_EARLY, "A step that means recovered before everything is restored."),
    (PAST_GATE, "A step that changes something also when the gate before it is rejected."),
    (MAYBE_DISCLOSED, "A value that looks like a secret is written in the file."),
    (EARLY_SWITCH, "Clients can be sent to a database before it is promoted."),
    (UNFENCED, "A promotion that nothing fences: two writers are possible."),
    (NO_POINT_OF_NO_RETURN, "What cannot be undone happens, and no gate shows the price of it."),
    (TWO_PROMOTIONS, "Two promotions can happen side by side."),
    (REGION_NOT_ALLOWED, "A step acts in a region that the environment does not allow."),
    (DATA_LEAVES, "A step would bring data to a region that its database does not allow."),
    (UNKNOWN_REGION, "A step's region cannot be known before the run."),
    (LOST_ENDPOINT, "A step acts in the region that is assumed lost."),
    (LOST_SOURCE, "A step reads or uses something in the region that is assumed lost."),
    (LOST_CONTROL_PLANE, "A step needs a control plane that is in the region assumed lost."),
    (LOST_KEY, "A step needs a KMS key of the region that is assumed lost."),
    (LOST_SECRET, "A step needs a secret of the region that is assumed lost."),
    (LOST_SESSION, "Sessions are begun in the region that is assumed lost."),
    (LOST_JOURNAL, "The journal is, or may be, in the region that is assumed lost."),
    (LOST_TOPIC, "A topic is in the region that is assumed lost."),
    (NOT_PROVEN, "Whether a step needs the region that is assumed lost cannot be known."),
    (SPARED, "A step needs the region that is assumed lost, and the run goes on without it."),
    (BEFORE, "`before` of a gate names a step that does not exist or does not wait for it."),
    (CALL, "A call names a runbook that cannot be called, or gives it what it does not take."),
    (CALL_CIRCLE, "Runbooks call each other in a circle, or too deep."),
];

/// Codes from here on are warnings: the file can be used. All others are errors.
pub const WARNINGS: [&str; 15] = [
    UNUSED_PARAMETER,
    UNUSED_STEP,
    IRREVERSIBLE,
    ENDLESS_GATE,
    UNMEASURED,
    UNHEEDED_GATE,
    UNCOUNTED_HEARTBEAT,
    TOO_EARLY,
    PAST_GATE,
    MAYBE_DISCLOSED,
    UNFENCED,
    NO_POINT_OF_NO_RETURN,
    TWO_PROMOTIONS,
    LOST_TOPIC,
    SPARED,
];

/// A name or id that cannot be one.
pub const NAME: &str = "DR010";
/// Two steps with one id.
pub const DUPLICATE_STEP: &str = "DR011";
/// An action that does not exist.
pub const UNKNOWN_ACTION: &str = "DR012";
/// A wrong entry in `needs`.
pub const NEEDS: &str = "DR013";
/// A cycle.
pub const CYCLE: &str = "DR014";
/// A field that this version cannot execute.
pub const NOT_EXECUTABLE: &str = "DR015";
/// A wrong parameter declaration.
pub const PARAMETER: &str = "DR016";
/// A wrong `measure`.
pub const MEASURE: &str = "DR017";
/// A wrong `for_each`.
pub const FOR_EACH: &str = "DR018";
/// An input that the action does not have.
pub const UNKNOWN_INPUT: &str = "DR020";
/// An input that is missing.
pub const MISSING_INPUT: &str = "DR021";
/// An input of the wrong type.
pub const INPUT_TYPE: &str = "DR022";
/// Out of range.
pub const RANGE: &str = "DR023";
/// Not an expression.
pub const SYNTAX: &str = "DR030";
/// A name that does not exist.
pub const UNKNOWN_NAME: &str = "DR031";
/// A step that is not upstream.
pub const NOT_UPSTREAM: &str = "DR032";
/// An expanded step, from outside.
pub const EXPANDED: &str = "DR033";
/// Types that do not go together.
pub const TYPE: &str = "DR034";
/// Something that cannot stand in text.
pub const INTERPOLATION: &str = "DR035";
/// A root that is not available here.
pub const NOT_HERE: &str = "DR036";
/// A division by a literal zero.
pub const ZERO: &str = "DR037";
/// A secret in plain sight.
pub const DISCLOSED: &str = "DR038";
/// Not a schedule.
pub const SCHEDULE: &str = "DR040";
/// A drill's parameter that its runbook does not take.
pub const DRILL_PARAMETER: &str = "DR041";
/// Something that a drill names and that does not exist or has errors.
pub const DRILL_REFERENCE: &str = "DR042";
/// A document whose file has another name.
pub const FILE_NAME: &str = "DR043";
/// Warning: a parameter that nobody uses.
pub const UNUSED_PARAMETER: &str = "DR050";
/// Warning: a step that nobody waits for.
pub const UNUSED_STEP: &str = "DR051";
/// Warning: no way back, and no word about it.
pub const IRREVERSIBLE: &str = "DR052";
/// Warning: a gate that does not say how long it waits.
pub const ENDLESS_GATE: &str = "DR053";
/// Warning: an objective without a measure.
pub const UNMEASURED: &str = "DR054";
/// Warning: a gate that holds nothing up.
pub const UNHEEDED_GATE: &str = "DR055";
/// Warning: a heartbeat that is not measured where others are.
pub const UNCOUNTED_HEARTBEAT: &str = "DR056";
/// Warning: recovered before everything is restored.
pub const TOO_EARLY: &str = "DR057";
/// Warning: a change that a rejection does not stop.
pub const PAST_GATE: &str = "DR058";
/// Warning: what looks like a secret, in plain sight.
pub const MAYBE_DISCLOSED: &str = "DR059";
/// `runbook lint`: a step acts in a region that the environment does not allow.
pub const REGION_NOT_ALLOWED: &str = "DR064";
/// `runbook lint`: a step would bring data to a region that its database does not allow.
pub const DATA_LEAVES: &str = "DR065";
/// `runbook lint`: a step's region cannot be known before the run.
pub const UNKNOWN_REGION: &str = "DR066";
/// `runbook lint`: a step acts in the region that is assumed lost.
pub const LOST_ENDPOINT: &str = "DR070";
/// `runbook lint`: a step reads or uses something in the region that is assumed lost.
pub const LOST_SOURCE: &str = "DR071";
/// `runbook lint`: a step needs a control plane that is in the region assumed lost.
pub const LOST_CONTROL_PLANE: &str = "DR072";
/// `runbook lint`: a step needs a KMS key of the region that is assumed lost.
pub const LOST_KEY: &str = "DR073";
/// `runbook lint`: a step needs a secret of the region that is assumed lost.
pub const LOST_SECRET: &str = "DR074";
/// `runbook lint`: sessions are begun in the region that is assumed lost.
pub const LOST_SESSION: &str = "DR075";
/// `runbook lint`: the journal is, or may be, in the region that is assumed lost.
pub const LOST_JOURNAL: &str = "DR076";
/// Warning: a topic is in the region that is assumed lost.
pub const LOST_TOPIC: &str = "DR077";
/// `runbook lint`: whether a step needs the region that is assumed lost cannot be known.
pub const NOT_PROVEN: &str = "DR078";
/// Warning: it needs the lost region and may.
pub const SPARED: &str = "DR079";
/// A gate before a step that does not wait for it.
pub const BEFORE: &str = "DR080";
/// `runbook lint`: clients can be sent to a database before it is promoted.
pub const EARLY_SWITCH: &str = "DR060";
/// Warning: a promotion that leaves two writers possible.
pub const UNFENCED: &str = "DR061";
/// Warning: what cannot be undone happens without a gate that shows the price.
pub const NO_POINT_OF_NO_RETURN: &str = "DR062";
/// Warning: two promotions side by side.
pub const TWO_PROMOTIONS: &str = "DR063";
/// A runbook that cannot be called so.
pub const CALL: &str = "DR081";
/// Calls in a circle, or too deep.
pub const CALL_CIRCLE: &str = "DR082";
