// SPDX-License-Identifier: Apache-2.0

//! What the macros expand to.

use crate::{sys, EventContext, Outcome, QueryContext, Settlement, Verdict, WriteContext};

pub fn pre_query(hook: fn(&QueryContext) -> Verdict) -> i32 {
    give(hook(&QueryContext(())))
}

pub fn check_write(hook: fn(&WriteContext) -> Verdict) -> i32 {
    give(hook(&WriteContext(())))
}

pub fn event(hook: fn(&EventContext)) -> i32 {
    hook(&EventContext(()));
    0
}

fn give(verdict: Verdict) -> i32 {
    match verdict {
        Verdict::Proceed | Verdict::Answered => 0,
        Verdict::Block { reason, sqlstate } => {
            let (reason, state) = (reason.as_bytes(), sqlstate.as_bytes());
            let (reason_len, state_len) = (reason.len() as u32, state.len() as u32);
            unsafe { sys::block(reason.as_ptr(), reason_len, state.as_ptr(), state_len) };
            0
        }
        Verdict::Rewrite(sql) => unsafe { sys::rewrite(sql.as_ptr(), sql.len() as u32) },
    }
}

pub fn post_query(hook: fn(&QueryContext, &Outcome)) -> i32 {
    hook(&QueryContext(()), &Outcome::present());
    0
}

pub fn settled(hook: fn(&QueryContext, Settlement)) -> i32 {
    hook(&QueryContext(()), Settlement::present());
    0
}
