//! A scripted world for the machine, and the loop that drives it there.

use super::*;

/// Longer than any run of these tests.
pub(super) const NEVER: Duration = Duration::from_secs(366 * 86_400);

pub(super) type Look = Result<Seen, ErrorRecord>;
pub(super) type Act = Result<Option<String>, ActFailure>;

/// What the world answers to looks and acts of a step; the last answer stays.
#[derive(Default)]
pub(super) struct World {
    pub(super) looks: BTreeMap<(&'static str, Part), VecDeque<Look>>,
    pub(super) acts: BTreeMap<(&'static str, Part), VecDeque<Act>>,
    pub(super) conditions: BTreeMap<&'static str, Begun>,
    pub(super) answers: VecDeque<&'static str>,
    /// What is at stake behind gates.
    pub(super) figures: Vec<FigureRecord>,
    /// How answers come.
    pub(super) way: AnswerWay,
    /// Whether acts answer for themselves.
    pub(super) traceless: bool,
}

pub(super) fn error(kind: ErrorKind) -> ErrorRecord {
    ErrorRecord { kind, message: format!("{kind:?}"), code: None, help: None }
}

pub(super) fn done() -> Look {
    Ok(Seen::Done(Box::default()))
}

pub(super) fn broken() -> Look {
    Ok(Seen::Broken(error(ErrorKind::Broken)))
}

pub(super) fn progress(state: &str) -> Look {
    Ok(Seen::InProgress { state: state.to_owned(), milestone: None })
}

impl World {
    pub(super) fn look(mut self, step: &'static str, seen: Vec<Look>) -> Self {
        self.looks.insert((step, Part::Forward), seen.into());
        self
    }

    pub(super) fn undo(mut self, step: &'static str, seen: Vec<Look>) -> Self {
        self.looks.insert((step, Part::Undo), seen.into());
        self
    }

    pub(super) fn act(mut self, step: &'static str, acted: Vec<Act>) -> Self {
        self.acts.insert((step, Part::Forward), acted.into());
        self
    }

    /// Answers one effect; the delay says how much time passes first.
    pub(super) fn answer(&mut self, effect: Effect) -> (Duration, Input) {
        self.answer_at(effect, simulated_epoch())
    }

    /// Answers one effect at `now`; the delay says how much time passes first.
    pub(super) fn answer_at(&mut self, effect: Effect, now: DateTime<Utc>) -> (Duration, Input) {
        let next = |queue: &mut VecDeque<_>| {
            if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
        };
        match effect {
            Effect::Begin { step, .. } => {
                let run = Begun::Run { inputs: json!({}), intent: ("do".into(), step.to_string()) };
                let begun = self.conditions.get(step.as_str()).cloned().unwrap_or(run);
                (Duration::ZERO, Input::Begun { step, begun })
            }
            Effect::Observe { step, part, delay } => {
                let found = self
                    .looks
                    .iter_mut()
                    .find(|((name, of), _)| *name == step.as_str() && *of == part);
                let seen = found.and_then(|(_, queue)| next(queue)).unwrap_or_else(done);
                (delay, Input::Observed { step, seen })
            }
            Effect::Act { step, part } => {
                let found = self
                    .acts
                    .iter_mut()
                    .find(|((name, of), _)| *name == step.as_str() && *of == part);
                let queue = found.map(|(_, queue)| queue);
                let result = queue
                    .and_then(|queue| {
                        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
                    })
                    .unwrap_or(Ok(None));
                let done = (self.traceless && result.is_ok()).then(Box::default);
                (Duration::from_millis(100), Input::Acted { step, result, done })
            }
            Effect::Ask { step, .. } => match self.answers.pop_front() {
                Some(answer) => {
                    let (answer, by) = (answer.to_owned(), Person::declared("ann"));
                    let reply = Reply { answer, way: self.way, comment: None, acknowledged: None };
                    (Duration::from_secs(60), Input::Answered { step, reply, by })
                }
                None => (Duration::ZERO, Input::NobodyAnswered { step }),
            },
            Effect::Weigh { step } => {
                (Duration::ZERO, Input::Weighed { step, figures: self.figures.clone() })
            }
            Effect::Await { step, until } => {
                let end = until.map_or(NEVER, |until| (until - now).to_std().unwrap_or_default());
                (end, Input::NobodyAnswered { step })
            }
            Effect::Forget { .. } | Effect::Halt => unreachable!("the driver stops on it"),
        }
    }
}

/// A run to its halt.
pub(super) struct Run {
    pub(super) state: RunState,
    pub(super) records: Vec<Record>,
    pub(super) now: DateTime<Utc>,
}

pub(super) fn begin(plan: &Plan) -> (Machine, Turn) {
    let start = Start { operator: "ann".to_owned(), fence: 1 };
    let json = serde_json::to_value(plan).expect("plain data");
    Machine::begin(plan.clone(), json, "sha256:0", start, "test", simulated_epoch())
}

pub(super) fn drive(
    mut machine: Machine,
    mut turn: Turn,
    world: &mut World,
    mut now: DateTime<Utc>,
) -> Run {
    let (mut records, mut flying) = (Vec::new(), Vec::new());
    for _ in 0..5_000 {
        records.append(&mut turn.records);
        if turn.effects.contains(&Effect::Halt) {
            return Run { state: machine.state().clone(), records, now };
        }
        for effect in std::mem::take(&mut turn.effects) {
            if let Effect::Forget { step } = &effect {
                flying.retain(|(_, input)| about(input) != Some(step));
                continue;
            }
            let (delay, input) = world.answer_at(effect, now);
            flying.push((now + delay, input));
        }
        flying.sort_by_key(|(at, _)| *at);
        assert!(!flying.is_empty(), "nothing in flight, and no halt: {:?}", machine.state());
        let (at, input) = flying.remove(0);
        now = at.max(now);
        turn = machine.handle(input, now);
    }
    panic!("the run does not end");
}

/// The step that an answer to an effect is about.
pub(super) fn about(input: &Input) -> Option<&StepKey> {
    match input {
        Input::Begun { step, .. }
        | Input::Observed { step, .. }
        | Input::Acted { step, .. }
        | Input::Answered { step, .. }
        | Input::Weighed { step, .. }
        | Input::NobodyAnswered { step } => Some(step),
        Input::Command(_) | Input::Interrupt { .. } => None,
    }
}

pub(super) fn run(plan: &Plan, mut world: World) -> Run {
    let (machine, turn) = begin(plan);
    drive(machine, turn, &mut world, simulated_epoch())
}

impl Run {
    pub(super) fn status(&self, step: &str) -> StepStatus {
        self.state.steps[&StepKey::new(step)].status
    }

    pub(super) fn kinds(&self, of: &str) -> usize {
        self.records.iter().filter(|record| record.event.kind() == of).count()
    }

    pub(super) fn skip(&self, step: &str) -> Option<SkipReason> {
        self.state.steps[&StepKey::new(step)].skip.clone()
    }

    pub(super) fn failure(&self, step: &str) -> ErrorKind {
        self.state.steps[&StepKey::new(step)].error.as_ref().expect("it failed").kind
    }
}

pub(super) fn mutation(key: &str, needs: &[&str]) -> PlannedStep {
    PlannedStep {
        needs: needs.iter().map(|need| StepKey::new(need)).collect(),
        timeout_ms: 600_000,
        poll_ms: 10_000,
        retry: Retry { attempts: 3, backoff_ms: 1_000 },
        always: false,
        check: false,
        undo: Some("undo".to_owned()),
        ..testing::step(key, "make", Phase::Provision)
    }
}

pub(super) fn check(key: &str, needs: &[&str]) -> PlannedStep {
    PlannedStep { check: true, undo: None, ..mutation(key, needs) }
}

pub(super) fn plan(steps: Vec<PlannedStep>) -> Plan {
    Plan { steps, ..testing::plan() }
}
