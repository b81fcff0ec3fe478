//! The store contract: each clause is written once and run by name against every backend.

mod clauses;
mod corrections;
mod images;
pub(crate) mod oracle;
mod oracle_live;
mod sqlite;
mod swaps;

pub(crate) use clauses::session;

use augur::domain::{Key, NewResult, Outcome};
use augur::store::{Found, ResultStore};

/// A backend under test: its store on a fresh, empty table, and a way to act as another program.
pub(crate) trait Backend {
    fn store(&self) -> &dyn ResultStore;

    /// Runs a statement in the same database, as another program would; `URL_RESULT` is the table's name.
    fn execute(&self, sql: &str);
}

/// Makes one named test for each clause and backend: `contract::sqlite::a_miss_is_none_and_no_error`. Attributes after
/// the backend go to each test.
macro_rules! store_contract {
    ($backend:expr $(; $(#[$attribute:meta])*)?) => {
        store_contract! { @each [$($(#[$attribute])*)?] $backend,
            a_miss_is_none_and_no_error,
            what_is_inserted_is_found_bit_for_bit,
            answers_come_in_the_order_of_the_keys,
            the_first_write_wins_and_everybody_learns_it,
            a_batch_with_some_keys_there_already_stores_the_rest,
            equal_keys_from_many_sessions_leave_one_row,
            overlapping_batches_in_any_order_never_fail,
            a_row_that_another_unique_key_refuses_costs_nobody_else_his,
            rows_of_other_programs_are_read_as_they_stand,
            a_row_is_made_replaced_and_removed_and_each_time_told_before_and_after,
            what_is_kept_or_rejected_stays_as_it_was_and_locks_nobody_out,
            updates_from_many_sessions_are_never_lost,
            one_of_many_sessions_makes_the_row_and_the_others_see_it,
            a_prefix_holds_exactly_the_keys_that_begin_with_it,
            a_page_can_be_of_one_model,
            pages_stay_right_while_rows_come_and_go,
            pages_walk_the_whole_table_in_key_order,
            keys_are_compared_by_their_bytes,
            the_longest_key_is_stored_and_found,
            batches_of_every_size_around_the_list_lengths,
            rows_are_swapped_only_while_they_are_what_they_were,
            swaps_of_every_size_change_each_row_once,
            of_many_sessions_that_swap_a_row_one_does,
            prune_removes_rows_of_the_model_that_it_names_and_no_others,
            a_missing_table_is_a_schema_error_and_can_be_made,
        }
    };
    (@each $attributes:tt $backend:expr, $($clause:ident),+ $(,)?) => {
        $(store_contract! { @one $attributes $backend, $clause })+
    };
    (@one [$(#[$attribute:meta])*] $backend:expr, $clause:ident) => {
        #[test]
        $(#[$attribute])*
        fn $clause() {
            crate::contract::clauses::$clause(&$backend);
        }
    };
}
pub(crate) use store_contract;

pub(crate) fn key(text: &str) -> Key {
    Key::parse(text, 4000).unwrap()
}

fn row(text: &str, x: f64) -> NewResult {
    NewResult { key: key(text), outcome: Outcome::float(x), model: Some("m@1".to_owned()) }
}

fn found(x: f64) -> Found {
    Found { outcome: Outcome::float(x), model: Some("m@1".to_owned()) }
}
