//! The people of a storm: they take their time, are away, and answer whatever there is to answer.
//!
//! **Invariant:** once it is calm somebody is always there, and answers so that the run comes to an end.

use crate::base::clock::Clock;
use crate::base::ids::StepKey;
use crate::base::seed::Seed;
use crate::engine::Reply;
use crate::journal::fold::{AnswerWay, Question, REPEAT, RETRY};
use crate::runner::Operator;
use async_trait::async_trait;
use std::time::Duration;

/// Longest time that somebody takes to answer, seconds.
const LONGEST_THOUGHT: u64 = 2_400;

/// People who answer by chance.
#[derive(Debug)]
pub(super) struct Townspeople {
    seed: Seed,
    calm: bool,
}

impl Townspeople {
    pub(super) fn new(seed: Seed, calm: bool) -> Self {
        Self { seed, calm }
    }
}

#[async_trait]
impl Operator for Townspeople {
    async fn ask(&self, step: &StepKey, question: &Question) -> Option<Reply> {
        let mut random = self.seed.stream(&format!("{step}/{}", question.asked_at));
        if !self.calm && random.u32(..3) == 0 {
            return None;
        }
        let thought = Duration::from_secs(random.u64(..LONGEST_THOUGHT));
        Clock::virtual_from(question.asked_at).sleep(thought).await;
        let ends = |choice: &&String| ![RETRY, REPEAT].contains(&choice.as_str());
        let choices: Vec<&String> =
            question.choices.iter().filter(|choice| !self.calm || ends(choice)).collect();
        let answer = choices.get(random.usize(..choices.len().max(1)))?.to_string();
        Some(Reply { answer, way: AnswerWay::Terminal, comment: None, acknowledged: None })
    }
}
