// SPDX-License-Identifier: Apache-2.0

//! What `pre_query` answers.

use crate::sys;

/// What `pre_query` answers; made by the functions below.
pub enum Verdict {
    Proceed,
    Block { reason: String, sqlstate: String },
    Rewrite(String),
    /// The rows were told to the host: see `Answer`.
    Answered,
}

/// Let the statement run.
pub fn proceed() -> Verdict {
    Verdict::Proceed
}

/// Refuse it, and the message that it came in. An empty SQLSTATE is the default, 42000.
pub fn block(reason: impl Into<String>, sqlstate: impl Into<String>) -> Verdict {
    Verdict::Block { reason: reason.into(), sqlstate: sqlstate.into() }
}

/// Say more of a refusal: what led to it, and what to do about it. Called beside `block`, which it does not replace. An
/// empty text says nothing. Only a plugin that calls this needs a proxy that offers it.
pub fn explain(detail: &str, hint: &str) {
    for (part, text) in [(1, detail), (2, hint)] {
        if !text.is_empty() {
            assert_eq!(unsafe { sys::explain(part, text.as_ptr(), text.len() as u32) }, 0);
        }
    }
}

/// Let it run, but bound its answer: no more than `most` rows are sent. The statement is cancelled then, and the client gets
/// an error (54000) in the place of its end. Called beside `proceed` or `rewrite`; `explain("", hint)` says what to do.
/// 0 lets no row pass, a negative number takes the limit back. Only a plugin that calls this needs a proxy that offers it.
pub fn limit_rows(most: i64) {
    assert_eq!(unsafe { sys::limit_rows(most) }, 0);
}

/// The same for the bytes of the rows.
pub fn limit_bytes(most: i64) {
    assert_eq!(unsafe { sys::limit_bytes(most) }, 0);
}

/// Run this text instead: one statement.
pub fn rewrite(sql: impl Into<String>) -> Verdict {
    Verdict::Rewrite(sql.into())
}

/// Answer with rows: columns first, then values, row by row, then `done()`.
pub struct Answer(());

impl Answer {
    pub fn begin() -> Answer {
        assert_eq!(unsafe { sys::answer_begin() }, 0);
        Answer(())
    }
    pub fn column(&mut self, name: &str, type_oid: u32) -> &mut Answer {
        let code = unsafe { sys::answer_column(name.as_ptr(), name.len() as u32, type_oid) };
        assert_eq!(code, 0);
        self
    }
    pub fn value(&mut self, text: &[u8]) -> &mut Answer {
        assert_eq!(unsafe { sys::answer_value(text.as_ptr(), text.len() as u32) }, 0);
        self
    }
    pub fn null(&mut self) -> &mut Answer {
        assert_eq!(unsafe { sys::answer_null() }, 0);
        self
    }
    pub fn done(self) -> Verdict {
        Verdict::Answered
    }
}
