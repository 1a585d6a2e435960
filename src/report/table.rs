//! Markdown tables that read well as plain text too.
//!
//! **Invariant:** a cell cannot break out of its table.

/// Cells longer than this widen no column: one long message would pad every other row.
const WIDEST: usize = 80;

/// A table with padded columns; empty without rows.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escape(cell)).collect()).collect();
    let widths: Vec<usize> = (0..headers.len())
        .map(|column| {
            let cells = rows.iter().chain([&headers]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).clamp(3, WIDEST)
        })
        .collect();
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    let lines = [&headers, &rule].into_iter().chain(&rows);
    lines.map(|row| line(row, &widths)).collect()
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} "));
    format!("|{}|\n", padded.collect::<Vec<_>>().join("|"))
}

fn escape(cell: &str) -> String {
    cell.replace('|', "\\|").replace(['\n', '\r'], " ")
}
