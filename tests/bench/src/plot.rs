//! What was found, as a picture: a bar for each contender of each row, as a multiple of the floor, or of the best
//! peer where no floor has taken part.

use plotters::prelude::{
    BLACK, ChartBuilder, Color, EmptyElement, IntoDrawingArea, IntoFont, IntoLogRange, RGBColor, Rectangle,
    SVGBackend, Text, WHITE,
};

use crate::contender::redstart;
use crate::measure::Result;
use crate::rows::{Group, Row, is_floor};
use crate::table::columns;

const WIDTH: u32 = 900;
const BAR: u32 = 11;
/// Space between the bars of one row and those of the next, in bars.
const GAP: f64 = 1.5;
/// Multiples that are drawn.
const RANGE: std::ops::Range<f64> = 0.1..64.0;

const REDSTART: [RGBColor; 3] = [RGBColor(200, 30, 45), RGBColor(225, 95, 85), RGBColor(240, 150, 130)];
const FLOORS: [RGBColor; 2] = [RGBColor(170, 170, 170), RGBColor(120, 120, 120)];
const PEERS: [RGBColor; 7] = [
    RGBColor(50, 90, 160),
    RGBColor(90, 140, 200),
    RGBColor(60, 140, 110),
    RGBColor(150, 110, 170),
    RGBColor(200, 160, 60),
    RGBColor(120, 170, 90),
    RGBColor(90, 110, 130),
];

/// Draws a group as SVG.
pub fn svg(group: &Group) -> Result<String> {
    let names = columns(group);
    let bars: usize = group.rows.iter().map(|row| row.figures.len()).sum();
    let height = bars as f64 + GAP * (group.rows.len() + 1) as f64;
    let mut text = String::new();
    {
        let pixels = (height * f64::from(BAR)) as u32 + 30 + 16 * names.len().div_ceil(4) as u32;
        let area = SVGBackend::with_string(&mut text, (WIDTH, pixels)).into_drawing_area();
        area.fill(&WHITE)?;
        let legend = 24 + 16 * names.len().div_ceil(4) as i32;
        let unit = if group.rows.iter().any(|row| floor(group, row).is_some()) {
            group.floor
        } else {
            "the best peer"
        };
        let title = format!("{}, as a multiple of {unit}, logarithmic", group.main.title());
        area.draw(&Text::new(title, (10, 6), ("sans-serif", 14).into_font()))?;
        for (i, name) in names.iter().enumerate() {
            let (x, y) = (10 + 220 * (i as i32 % 4), 26 + 16 * (i as i32 / 4));
            area.draw(&Rectangle::new([(x, y), (x + 10, y + 10)], color(name, &names).filled()))?;
            area.draw(&Text::new((*name).to_owned(), (x + 14, y), ("sans-serif", 12).into_font()))?;
        }
        let (_, below) = area.split_vertically(legend);
        let mut chart = ChartBuilder::on(&below)
            .margin_right(20)
            .margin_left(10)
            .x_label_area_size(24)
            .build_cartesian_2d(RANGE.log_scale(), 0.0..height)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_label_formatter(&|multiple| format!("{multiple} x"))
            .draw()?;
        let mut top = height - GAP;
        for row in &group.rows {
            let base = base(group, row);
            let label = ("sans-serif", 12).into_font();
            chart.draw_series([Text::new(row.title.clone(), (RANGE.start, top + 1.0), label)])?;
            for name in &names {
                let Some(value) = row.of(name).and_then(|figures| figures.get(group.main)) else { continue };
                let end = (value / base).clamp(RANGE.start, RANGE.end);
                let style = color(name, &names).filled();
                chart.draw_series([Rectangle::new([(1.0, top), (end, top - 0.85)], style)])?;
                let shown = group.main.show(value);
                let small = ("sans-serif", 10).into_font().color(&BLACK.mix(0.7));
                let label = EmptyElement::at((end.max(1.0), top)) + Text::new(shown, (4, 0), small);
                chart.draw_series([label])?;
                top -= 1.0;
            }
            top -= GAP;
        }
        area.present()?;
    }
    Ok(text)
}

fn floor(group: &Group, row: &Row) -> Option<f64> {
    row.of(group.floor)?.get(group.main).filter(|value| *value > 0.0)
}

/// What stands for one in a row.
fn base(group: &Group, row: &Row) -> f64 {
    floor(group, row).or_else(|| row.best_peer(group.main).map(|best| best.1)).unwrap_or(1.0)
}

fn color(name: &str, names: &[&str]) -> RGBColor {
    let place = |is_kind: fn(&str) -> bool| names.iter().filter(|n| is_kind(n)).position(|n| *n == name);
    if let Some(place) = place(is_floor) {
        return FLOORS[place % FLOORS.len()];
    }
    if let Some(place) = place(|name| name.starts_with(redstart::NAME)) {
        return REDSTART[place % REDSTART.len()];
    }
    let peer = place(|name| !is_floor(name) && !name.starts_with(redstart::NAME));
    PEERS[peer.unwrap_or(0) % PEERS.len()]
}
