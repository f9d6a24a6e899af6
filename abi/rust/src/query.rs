// SPDX-License-Identifier: Apache-2.0

//! What a hook is told: the statement, who runs it, and what became of it.

use crate::fields::{bytes_field, number_field, read_bytes, text_field};
use crate::sys;

/// A value that a client bound to $1, $2, ...
pub struct Parameter {
    /// As Parse declared it; 0: left to the server.
    pub type_oid: u32,
    pub is_binary: bool,
    /// `None`: NULL.
    pub value: Option<Vec<u8>>,
}

/// The statement and who runs it.
pub struct QueryContext(pub(crate) ());

impl QueryContext {
    /// The statement as it will run; empty in `settled`, and of a function call.
    pub fn query(&self) -> String {
        text_field(sys::TEXT)
    }
    /// As the client sent it, before plugins rewrote it.
    pub fn original_query(&self) -> String {
        text_field(sys::ORIGINAL_TEXT)
    }
    /// The text of the SQL EXECUTE that runs the statement, with its arguments; empty: none does.
    pub fn execute_text(&self) -> String {
        text_field(sys::EXECUTE_TEXT)
    }
    /// `query()` and `execute_text()` without secrets: passwords and keys have become `***`.
    pub fn redacted_query(&self) -> String {
        text_field(sys::REDACTED_TEXT)
    }
    pub fn redacted_execute_text(&self) -> String {
        text_field(sys::REDACTED_EXECUTE_TEXT)
    }
    /// Does one of them hide something?
    pub fn is_redacted(&self) -> bool {
        number_field(sys::IS_REDACTED) == Some(1)
    }
    /// How often plugins have rewritten the statement so far: the same number as in `pre_query`, the same text.
    pub fn rewrites(&self) -> i64 {
        number_field(sys::REWRITES).unwrap_or(0)
    }
    /// Of the text as the client sent it, by PostgreSQL's grammar: the same for texts that differ in
    /// constants, layout and comments alone. `None` where the grammar cannot tell, and over 64 KiB.
    pub fn fingerprint(&self) -> Option<u64> {
        number_field(sys::FINGERPRINT).map(|bits| bits as u64)
    }
    pub fn is_read_only(&self) -> bool {
        number_field(sys::IS_READ_ONLY) == Some(1)
    }
    /// It is BEGIN, COMMIT, SET or the like, which only plugins with `statements = "all"` are told of.
    pub fn manages_session(&self) -> bool {
        number_field(sys::MANAGES_SESSION) == Some(1)
    }
    pub fn user(&self) -> String {
        text_field(sys::USER)
    }
    pub fn database(&self) -> String {
        text_field(sys::DATABASE)
    }
    /// The tenant in force, as bytes: it need not be UTF-8.
    pub fn tenant(&self) -> Option<Vec<u8>> {
        bytes_field(sys::TENANT)
    }
    /// One per statement execution: the same in all of its hooks.
    pub fn request_id(&self) -> String {
        text_field(sys::REQUEST_ID)
    }
    /// One per client session.
    pub fn client_id(&self) -> String {
        text_field(sys::SESSION_ID)
    }
    /// "application_name", "client_ip", every helios.* setting, "config.<key>", ...
    pub fn attribute(&self, name: &str) -> Option<Vec<u8>> {
        read_bytes(|out, max| unsafe {
            sys::attribute(name.as_ptr(), name.len() as u32, out, max)
        })
    }
    pub fn parameter_count(&self) -> u32 {
        number_field(sys::PARAMETER_COUNT).unwrap_or(0) as u32
    }
    /// `None`: there are not so many. The first is 0.
    pub fn parameter(&self, index: u32) -> Option<Parameter> {
        let mut kind = [0; 3];
        if unsafe { sys::parameter_kind(index, &mut kind) } != 0 {
            return None;
        }
        let value = read_bytes(|out, max| unsafe { sys::parameter(index, out, max) });
        Some(Parameter { type_oid: kind[0], is_binary: kind[1] == 1, value })
    }
    /// The HMAC-SHA-256 of a value with a key of the proxy's, in hexadecimal digits: what may be kept of it. `None` of NULL.
    pub fn parameter_hmac(&self, index: u32) -> Option<String> {
        let mut digits = [0; 64];
        let written = unsafe { sys::parameter_hmac_hex(index, digits.as_mut_ptr()) };
        (written == 64).then(|| String::from_utf8_lossy(&digits).into_owned())
    }
    /// Notes of `pre_query` for the later hooks of the same statement: up to 256 bytes.
    pub fn keep(&self, notes: &[u8]) {
        assert_eq!(unsafe { sys::scratch_set(notes.as_ptr(), notes.len() as u32) }, 0);
    }
    pub fn kept(&self) -> Vec<u8> {
        read_bytes(|out, max| unsafe { sys::scratch_get(out, max) }).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    Executed,
    Answered,
    Failed,
    Refused,
    Skipped,
    Lost,
    /// It may have run, nobody can say.
    Unknown,
}

/// How a statement ended.
pub struct Outcome {
    pub kind: OutcomeKind,
    pub duration_ns: i64,
    pub response_bytes: i64,
    pub rows: Option<i64>,
    pub command_tag: String,
    /// Of the error that ended it; empty: none.
    pub sqlstate: String,
    pub error: String,
}

impl Outcome {
    /// True unless it is certain that the server never worked on it.
    pub fn may_have_run(&self) -> bool {
        self.ran() || matches!(self.kind, OutcomeKind::Lost | OutcomeKind::Unknown)
    }
    /// True when it is certain that the server worked on it.
    pub fn ran(&self) -> bool {
        matches!(self.kind, OutcomeKind::Executed | OutcomeKind::Failed)
    }

    /// `error` without secrets. Asks the host: only within the hook that was passed this.
    pub fn redacted_error(&self) -> String {
        text_field(sys::REDACTED_ERROR_MESSAGE)
    }

    /// What became of the transaction, where that is known by now: outside of transaction blocks it mostly is. `None`:
    /// `settled` will tell. Asks the host, as `skip_settled` does: only within the `post_query` that was passed this.
    pub fn settlement(&self) -> Option<Settlement> {
        number_field(sys::SETTLEMENT).map(Settlement::from)
    }

    /// This plugin needs no `settled` call for this statement. False: it is not known yet what becomes of it, and it comes.
    pub fn skip_settled(&self) -> bool {
        unsafe { sys::skip_settled() == 0 }
    }

    pub(crate) fn present() -> Outcome {
        let kind = match number_field(sys::OUTCOME) {
            Some(0) => OutcomeKind::Executed,
            Some(1) => OutcomeKind::Answered,
            Some(2) => OutcomeKind::Failed,
            Some(3) => OutcomeKind::Refused,
            Some(4) => OutcomeKind::Skipped,
            Some(5) => OutcomeKind::Lost,
            _ => OutcomeKind::Unknown,
        };
        Outcome {
            kind,
            duration_ns: number_field(sys::DURATION_NS).unwrap_or(0),
            response_bytes: number_field(sys::RESPONSE_BYTES).unwrap_or(0),
            rows: number_field(sys::ROWS),
            command_tag: text_field(sys::COMMAND_TAG),
            sqlstate: text_field(sys::SQLSTATE),
            error: text_field(sys::ERROR_MESSAGE),
        }
    }
}

/// What became of the transaction that a statement ran in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    Committed,
    RolledBack,
    Unknown,
}

impl Settlement {
    pub(crate) fn present() -> Settlement {
        number_field(sys::SETTLEMENT).map_or(Settlement::Unknown, Settlement::from)
    }
}

impl From<i64> for Settlement {
    fn from(number: i64) -> Settlement {
        match number {
            0 => Settlement::Committed,
            1 => Settlement::RolledBack,
            _ => Settlement::Unknown,
        }
    }
}
