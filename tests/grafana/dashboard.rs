//! What Grafana makes of a dashboard: its panels, their expressions, its variables.

use serde_json::Value;

use super::prometheus::{Prometheus, grafana};

/// `$__rate_interval`: four scrapes of `grafana/prometheus.yml`.
const RATE_INTERVAL: &str = "20s";

/// A dashboard.
pub(super) struct Dashboard(pub(super) Value);

/// A variable and the values it lists.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

impl Dashboard {
    pub(super) fn read(name: &str) -> Dashboard {
        let path = grafana("dashboards").join(format!("{name}.json"));
        Dashboard(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    /// Panels that show something.
    pub(super) fn panels(&self) -> impl Iterator<Item = &Value> {
        self.0["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
    }

    /// The expressions of a panel.
    pub(super) fn expressions(panel: &Value) -> impl Iterator<Item = &str> {
        panel["targets"].as_array().unwrap().iter().map(|target| target["expr"].as_str().unwrap())
    }

    /// The first expression of the panel with a title.
    pub(super) fn expression(&self, title: &str) -> &str {
        let panel = self.panels().find(|panel| panel["title"] == title);
        Dashboard::expressions(panel.unwrap_or_else(|| panic!("no panel {title}"))).next().unwrap()
    }

    /// Its variables of kind `label_values(measure, label)`, which are all but the data source.
    pub(super) fn variables(&self, prometheus: &Prometheus) -> Vec<Variable> {
        let all = self.0["templating"]["list"].as_array().unwrap().iter().filter(|v| v["type"] != "datasource");
        let list = |variable: &Value| {
            let query = variable["query"]["query"].as_str().unwrap();
            let asked = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
            let (measure, label) = asked.and_then(|asked| asked.split_once(", ")).unwrap();
            Variable { name: variable["name"].as_str().unwrap().into(), values: prometheus.values(measure, label) }
        };
        all.map(list).collect()
    }
}

/// An expression as Grafana sends it when every value of every variable is chosen.
pub(super) fn filled(expression: &str, variables: &[Variable]) -> String {
    let filled = expression.replace("$__rate_interval", RATE_INTERVAL);
    variables.iter().fold(filled, |text, variable| {
        let any_of: Vec<String> = variable.values.iter().map(|value| escaped(value)).collect();
        text.replace(&format!("${}", variable.name), &format!("({})", any_of.join("|")))
    })
}

/// A text as a regular expression inside a quoted string of PromQL.
fn escaped(text: &str) -> String {
    let special = |c: char| !c.is_alphanumeric() && c.is_ascii() && !" _-'".contains(c);
    text.chars().map(|c| if special(c) { format!("\\\\{c}") } else { c.to_string() }).collect()
}
