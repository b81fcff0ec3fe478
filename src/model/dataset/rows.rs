//! Rows of a data set that come one at a time, from elsewhere than a file.

use sha2::{Digest, Sha256};

use super::{Dataset, DatasetError, MAX_TARGET};
use crate::domain::hex;

/// A data set while its rows come in.
#[derive(Debug)]
pub struct DatasetRows {
    urls: Vec<String>,
    targets: Vec<f64>,
    /// Of the CSV file that these rows would be.
    digest: Sha256,
}

impl Default for DatasetRows {
    fn default() -> Self {
        DatasetRows { urls: Vec::new(), targets: Vec::new(), digest: Sha256::new_with_prefix("url,result\n") }
    }
}

impl DatasetRows {
    /// Takes a row.
    ///
    /// # Errors
    /// Where a row of a CSV file would be refused, too.
    pub fn push(&mut self, url: &str, target: f64) -> Result<(), DatasetError> {
        let row = self.urls.len() + 1;
        if url.is_empty() {
            return Err(DatasetError::Value { row, reason: "the URL is empty".to_owned() });
        }
        if !target.is_finite() {
            return Err(DatasetError::Value { row, reason: format!("the result is {target}, not a finite number") });
        }
        if target.abs() > MAX_TARGET {
            let reason = format!("the result is {target:e}, not within {MAX_TARGET:e} of 0");
            return Err(DatasetError::Value { row, reason });
        }
        if url.contains([',', '"', '\r', '\n']) {
            self.digest.update(format!("\"{}\"", url.replace('"', "\"\"")));
        } else {
            self.digest.update(url);
        }
        self.digest.update(format!(",{target}\n"));
        self.urls.push(url.to_owned());
        self.targets.push(target);
        Ok(())
    }

    /// The data set; `None` where there are no rows. Its digest is that of the CSV file with the header `url,result`, these
    /// rows, quotes only where they are needed, and numbers as short as they can be: so rows from a database and the same
    /// rows from such a file give the same model.
    #[must_use]
    pub fn finish(self) -> Option<Dataset> {
        let DatasetRows { urls, targets, digest } = self;
        (!urls.is_empty()).then(|| Dataset { urls, targets, sha256: hex(&digest.finalize()) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn result() -> impl Strategy<Value = f64> {
        any::<f64>().prop_filter("within the bound", |number| number.abs() <= MAX_TARGET)
    }

    proptest! {
        #[test]
        fn the_same_rows_are_the_same_data_from_a_file_and_one_at_a_time(
            rows in prop::collection::vec((".+", result()), 1..8)
        ) {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(["url", "result"]).expect("memory takes it");
            let mut collected = DatasetRows::default();
            for (url, target) in &rows {
                csv.write_record([url, &target.to_string()]).expect("memory takes it");
                collected.push(url, *target).expect("a good row");
            }
            let file = Dataset::from_csv(&csv.into_inner().expect("memory takes it"), "x").expect("a good file");
            let collected = collected.finish().expect("there are rows");
            prop_assert_eq!(file.urls(), collected.urls());
            prop_assert_eq!(file.targets(), collected.targets());
            prop_assert_eq!(file.sha256(), collected.sha256());
        }
    }

    #[test]
    fn what_cannot_be_learnt_from_is_refused_with_its_row() {
        let mut rows = DatasetRows::default();
        rows.push("a", 0.0).expect("a good row");
        let refusal = rows.push("b", f64::INFINITY).expect_err("a bad row").to_string();
        assert_eq!(refusal, "row 2: the result is inf, not a finite number");
        let refusal = rows.push("b", 1e200).expect_err("a bad row").to_string();
        assert_eq!(refusal, "row 2: the result is 1e200, not within 1e100 of 0");
        assert_eq!(rows.push("", 1.0).expect_err("a bad row").to_string(), "row 2: the URL is empty");
        assert!(DatasetRows::default().finish().is_none());
    }
}
