//! `POST /url` through the front door: each clause is written once and run by name against every backend.

mod batches;
mod clauses;
mod inference;
pub(crate) mod oracle;
pub(crate) mod sqlite;
mod streams;

use crate::app::App;

/// A result table under test, and a way to look at it as another program.
pub(crate) trait Table {
    /// The `--set` arguments of a server on it.
    fn settings(&self) -> Vec<String>;

    /// Runs a statement as another program.
    fn execute(&self, sql: &str);

    /// The number that a query answers.
    fn count(&self, sql: &str) -> i64;

    /// Result and model as they stand in the one row of `url`.
    fn row(&self, url: &str) -> (f64, String);
}

/// A server and its table.
struct Server<T: Table> {
    table: T,
    app: App,
}

impl<T: Table> Server<T> {
    fn start(table: T) -> Self {
        let app = start_on(&table);
        Self { table, app }
    }

    fn rows(&self, url: &str) -> i64 {
        self.table.count(&format!("SELECT COUNT(*) FROM URL_RESULT WHERE URL = '{url}'"))
    }
}

fn start_on(table: &impl Table) -> App {
    // Slow machines are not what these tests are about.
    App::start(&[table.settings(), vec!["server.request_timeout_ms=30000".to_owned()]].concat())
}

/// Makes one named test for each clause and backend: `url::sqlite::the_health_routes_answer`.
macro_rules! url_contract {
    ($table:expr) => {
        url_contract! { clauses, $table,
            a_miss_is_predicted_stored_and_then_a_hit,
            the_answer_is_the_same_bit_for_bit_after_a_restart_and_after_kill_9,
            numbers_of_another_program_are_returned_as_they_stand,
            the_key_is_the_text_exactly_as_sent,
            two_thousand_urls_from_64_connections_each_asked_twice_at_once,
            what_happens_is_logged_once_a_request_and_the_id_is_echoed_where_it_is_sane,
            the_health_routes_answer,
        }
        url_contract! { inference, $table,
            an_inference_looks_up_predicts_and_stores,
            tensors_are_sent_in_binary_form_both_ways,
            what_fp64_cannot_carry_is_told,
            errors_have_the_protocols_form,
            statistics_count_hits_misses_and_predictions,
        }
        url_contract! { batches, $table,
            a_batch_answers_in_order_what_single_requests_answer,
            a_bad_entry_fails_alone,
            a_batch_that_is_none_is_refused_as_a_whole,
            a_batch_is_one_failure_where_the_store_fails_for_all_of_it,
            batches_larger_than_the_queue_are_answered_one_after_the_other,
            the_log_counts_the_entries_of_a_batch,
        }
        url_contract! { streams, $table,
            a_line_is_answered_before_the_next_one_is_sent,
            a_bad_line_fails_alone,
            a_failure_of_the_store_is_that_of_the_lines_which_it_hits,
            a_client_that_leaves_stops_the_work,
            a_connection_that_stalls_both_ways_is_closed,
            a_line_that_trickles_is_given_up_and_a_stream_of_cut_lines_is_not,
            a_client_that_only_sends_is_held_back_and_then_closed,
            a_long_stream_is_answered_in_constant_memory,
        }
    };
    ($file:ident, $table:expr, $($clause:ident),+ $(,)?) => {
        $(
            #[test]
            fn $clause() {
                crate::url::$file::$clause($table);
            }
        )+
    };
}
use url_contract;
