//! What every request must pass and every response carries.

use serde_json::Value;

use crate::running::Running;

fn status(city: &Running, method: &str, path: &str, header: (&str, &str)) -> (u16, Option<String>) {
    let request = ureq::http::Request::builder().method(method).uri(city.url(path)).header(header.0, header.1);
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let response = ureq::Agent::from(config).run(request.body(()).unwrap()).unwrap();
    let policy = response.headers().get("content-security-policy").map(|h| h.to_str().unwrap().to_owned());
    (response.status().as_u16(), policy)
}

#[test]
fn pages_of_other_sites_cannot_act() {
    let city = Running::start();
    assert_eq!(status(&city, "GET", "/healthz", ("host", "evil.example")).0, 421);
    assert_eq!(status(&city, "DELETE", "/calls/1", ("origin", "http://evil.example")).0, 403);
    assert_eq!(status(&city, "DELETE", "/calls/1", ("origin", &city.url(""))).0, 404);
    let (ok, policy) = status(&city, "GET", "/", ("accept", "*/*"));
    assert_eq!(ok, 200);
    assert!(policy.unwrap().contains("default-src 'self'"));
}

#[test]
fn every_described_operation_is_served() {
    let city = Running::start();
    let description: Value = city.get("/openapi.json").1;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|m| *m != "parameters") {
            let path = path.replace("{id}", "0");
            if path == "/api/events" {
                continue;
            }
            let (got, _) = status(&city, &method.to_uppercase(), &path, ("accept", "*/*"));
            assert_ne!(got, 405, "{method} {path}");
        }
    }
    assert_eq!(status(&city, "PUT", "/calls", ("accept", "*/*")).0, 405);
}
