//! Writes expressions that are well-typed by construction.

/// Types of generated expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Float,
    Bool,
    Text,
    Time,
    Span,
    Ints,
    Texts,
}

/// Writes well-typed expressions with all brackets.
pub(in crate::runbook::tests) struct Generator(pub(in crate::runbook::tests) fastrand::Rng);

impl Generator {
    /// One of any type, at most five levels deep.
    pub(in crate::runbook::tests) fn next(&mut self) -> String {
        let kinds = [Kind::Bool, Kind::Int, Kind::Float, Kind::Text, Kind::Time, Kind::Span];
        let kind = self.pick(&kinds);
        let depth = 1 + self.0.u32(..4);
        self.any(kind, depth)
    }

    fn one(&mut self, of: &[&str]) -> String {
        of[self.0.usize(..of.len())].to_owned()
    }

    fn leaf(&mut self, kind: Kind) -> String {
        self.one(match kind {
            Kind::Int => &[
                "0",
                "1",
                "2",
                "7",
                "-3",
                "9223372036854775807",
                "params.count",
                "4611686018427387904",
            ],
            Kind::Float => &["0.0", "0.5", "2.5", "-1.25", "1e300", "params.ratio", "3.0"],
            Kind::Bool => &["true", "false", "params.flag", "has(params.word)", "has(params.none)"],
            Kind::Text => &[
                "''",
                "'a'",
                "\"b\"",
                "'é\\n\\''",
                "'hello'",
                "'7'",
                "'-3'",
                "'2.5'",
                "params.word",
            ],
            Kind::Time => &[
                "params.at",
                "timestamp('2026-03-01T11:30:00+01:00')",
                "timestamp('2025-12-31T23:59:59Z')",
            ],
            Kind::Span => {
                &["params.age", "duration('1h30m')", "duration('0s')", "duration('250ms')"]
            }
            Kind::Ints => &["[]", "[1, 2, 3]", "[7]"],
            Kind::Texts => &["params.words", "['a', 'hello']", "['']"],
        })
    }

    fn any(&mut self, kind: Kind, depth: u32) -> String {
        if depth == 0 || self.0.u32(..6) == 0 {
            return self.leaf(kind);
        }
        if self.0.u8(..8) == 0 {
            let condition = self.any(Kind::Bool, depth - 1);
            let (yes, no) = (self.any(kind, depth - 1), self.any(kind, depth - 1));
            return format!("({condition} ? {yes} : {no})");
        }
        match kind {
            Kind::Int => self.int(depth - 1),
            Kind::Float => self.float(depth - 1),
            Kind::Bool => self.bool(depth - 1),
            Kind::Text => self.text(depth - 1),
            Kind::Time => {
                let (time, span) =
                    (self.any(Kind::Time, depth - 1), self.any(Kind::Span, depth - 1));
                match self.0.u8(..3) {
                    0 => format!("({time} + {span})"),
                    1 => format!("({span} + {time})"),
                    _ => format!("({time} - {span})"),
                }
            }
            Kind::Span if self.0.bool() => {
                let (a, b) = (self.any(Kind::Time, depth - 1), self.any(Kind::Time, depth - 1));
                format!("({a} - {b})")
            }
            Kind::Span => self.infix(Kind::Span, &["+", "-"], depth - 1),
            Kind::Ints if self.0.bool() => {
                let (a, b) = (self.any(Kind::Int, depth - 1), self.any(Kind::Int, depth - 1));
                format!("[{a}, {b}]")
            }
            Kind::Texts if self.0.bool() => format!("[{}]", self.any(Kind::Text, depth - 1)),
            Kind::Ints | Kind::Texts => self.infix(kind, &["+"], depth - 1),
        }
    }

    fn infix(&mut self, kind: Kind, operators: &[&str], depth: u32) -> String {
        let (a, b) = (self.any(kind, depth), self.any(kind, depth));
        format!("({a} {} {b})", self.one(operators))
    }

    fn int(&mut self, depth: u32) -> String {
        match self.0.u8(..8) {
            0..=3 => self.infix(Kind::Int, &["+", "-", "*", "/", "%"], depth),
            4 => format!("(-{})", self.any(Kind::Int, depth)),
            5 => {
                let kind = self.pick(&[Kind::Text, Kind::Ints, Kind::Texts]);
                format!("size({})", self.any(kind, depth))
            }
            6 => {
                let kind = self.pick(&[Kind::Text, Kind::Int, Kind::Float]);
                format!("int({})", self.any(kind, depth))
            }
            _ => format!("{}[{}]", self.any(Kind::Ints, depth), self.any(Kind::Int, depth)),
        }
    }

    fn float(&mut self, depth: u32) -> String {
        match self.0.u8(..6) {
            0..=3 => self.infix(Kind::Float, &["+", "-", "*", "/"], depth),
            4 => format!("(-{})", self.any(Kind::Float, depth)),
            _ => {
                let kind = self.pick(&[Kind::Text, Kind::Int, Kind::Float]);
                format!("double({})", self.any(kind, depth))
            }
        }
    }

    fn bool(&mut self, depth: u32) -> String {
        let compared = [Kind::Int, Kind::Float, Kind::Text, Kind::Time, Kind::Span];
        match self.0.u8(..13) {
            0..=3 => self.infix(Kind::Bool, &["&&", "||"], depth),
            4 => format!("(!{})", self.any(Kind::Bool, depth)),
            5 | 6 => {
                let kind = self.pick(&compared);
                self.infix(kind, &["<", "<=", ">", ">=", "==", "!="], depth)
            }
            7 => {
                let kind = self.pick(&[Kind::Bool, Kind::Ints, Kind::Texts]);
                self.infix(kind, &["==", "!="], depth)
            }
            8 => format!("({} in {})", self.any(Kind::Int, depth), self.any(Kind::Ints, depth)),
            9 => format!("({} in {})", self.any(Kind::Text, depth), self.any(Kind::Texts, depth)),
            10 | 11 => {
                let (whole, part) = (self.any(Kind::Text, depth), self.any(Kind::Text, depth));
                format!("{whole}.{}({part})", self.one(&["contains", "startsWith", "endsWith"]))
            }
            _ => self.one(&[
                "(params.maybe == null)",
                "(null != params.maybe)",
                "('word' in params)",
            ]),
        }
    }

    fn text(&mut self, depth: u32) -> String {
        match self.0.u8(..4) {
            0 | 1 => self.infix(Kind::Text, &["+"], depth),
            2 => {
                let kind = self.pick(&[Kind::Int, Kind::Bool, Kind::Text, Kind::Time]);
                // Difference 3: parts of a second.
                let depth = if kind == Kind::Time { 0 } else { depth };
                format!("string({})", self.any(kind, depth))
            }
            _ => format!("{}[{}]", self.any(Kind::Texts, depth), self.any(Kind::Int, depth)),
        }
    }

    fn pick(&mut self, of: &[Kind]) -> Kind {
        of[self.0.usize(..of.len())]
    }
}
