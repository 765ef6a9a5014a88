//! What a run found: facts and tables, for people or as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::server::Setup;

pub struct Report {
    name: &'static str,
    facts: Vec<(&'static str, Value)>,
    tables: Vec<Table>,
}

/// The names of columns are the keys of a row's JSON object.
pub struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl Table {
    pub fn new(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self {
            name,
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row, and says on stderr that it is there: a run may take long.
    pub fn row(&mut self, row: Vec<Value>) {
        let cells: Vec<String> = self
            .columns
            .iter()
            .zip(&row)
            .map(|(column, value)| format!("{column} {}", cell(value)))
            .collect();
        eprintln!("{}: {}", self.name, cells.join(", "));
        self.rows.push(row);
    }
}

impl Report {
    /// A report that begins with what was measured on.
    pub fn new(name: &'static str, setup: &Setup) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let mut report = Self {
            name,
            facts: Vec::new(),
            tables: Vec::new(),
        };
        report.fact("database", setup.engine());
        report.fact("cores", cores);
        report.fact("seed", setup.seed);
        report
    }

    pub fn fact(&mut self, name: &'static str, value: impl Into<Value>) {
        self.facts.push((name, value.into()));
    }

    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("measured".into(), json!(self.name));
        for (name, value) in &self.facts {
            object.insert((*name).into(), value.clone());
        }
        for table in &self.tables {
            let rows = table.rows.iter().map(|row| {
                let cells = table.columns.iter().zip(row);
                Value::Object(
                    cells
                        .map(|(column, value)| ((*column).into(), value.clone()))
                        .collect(),
                )
            });
            object.insert(table.name.into(), rows.collect());
        }
        Value::Object(object)
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.facts {
            let _ = writeln!(text, "{}: {}", name.replace('_', " "), cell(value));
        }
        for table in &self.tables {
            let _ = writeln!(text, "\n{}", table.name.replace('_', " "));
            let mut lines = vec![
                table
                    .columns
                    .iter()
                    .map(|name| name.replace('_', " "))
                    .collect::<Vec<_>>(),
            ];
            lines.extend(table.rows.iter().map(|row| row.iter().map(cell).collect()));
            let widths: Vec<usize> = (0..table.columns.len())
                .map(|column| {
                    lines
                        .iter()
                        .map(|line| line[column].chars().count())
                        .max()
                        .unwrap_or(0)
                })
                .collect();
            for line in lines {
                let cells: Vec<String> = line
                    .iter()
                    .zip(&widths)
                    .map(|(cell, width)| format!("{cell:>width$}"))
                    .collect();
                let _ = writeln!(text, "  {}", cells.join("  "));
            }
        }
        text
    }
}

/// A value as a person reads it: three digits that matter, thousands apart.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.abs() < 10.0 => format!("{float:.2}"),
            Some(float) if number.is_f64() && float.abs() < 100.0 => format!("{float:.1}"),
            Some(float) => thousands(float.round() as i64),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}
