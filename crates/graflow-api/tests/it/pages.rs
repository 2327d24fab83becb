//! The pages: files of a folder, found by their addresses.

use axum::body::Body;
use axum::http::Request;
use graflow_api::{Pages, Token};

use crate::support::{Answer, TestApi};

const INDEX: &str =
    "<!doctype html><head><base href=\"/\" /></head><script type=\"module\" src=\"./assets/a-1.js\">";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("assets")).unwrap();
    for (path, text) in [
        ("index.html", INDEX),
        ("icon.svg", "<svg/>"),
        ("assets/a-1.js", "1"),
        ("assets/.hidden.js", "2"),
        ("secret.js", "3"),
    ] {
        std::fs::write(folder.path().join(path), text).unwrap();
    }
    folder
}

async fn ask(api: &TestApi, path: &str) -> Answer {
    api.send(Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_begins_with_the_one_page() {
    let folder = folder();
    let api = TestApi::with(|settings| {
        settings.pages = Pages::Folder(folder.path().into());
        settings.path_prefix = "/lineage".to_owned();
        settings.token = Some(Token::new("0123456789abcdef").unwrap());
    });
    for path in ["/", "/executions", "/executions/a%2Fb", "/workflows/x/profile", "/tasks/t", "/help"] {
        let answer = ask(&api, &format!("/lineage{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text.contains("<base href=\"/lineage/\" />"), "{}", answer.text);
        assert!(answer.text.contains("graflow-token"), "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-cache");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    }
    // Who does not ask for a page gets what REST says.
    let answer = api.get("/lineage/executions/a%2Fb").await;
    assert_eq!(answer.headers["location"], "/lineage/api/executions/a%2Fb");
    assert_eq!(ask(&api, "/lineage/nowhere").await.error(), "404 no_such_path");
}

#[tokio::test(flavor = "multi_thread")]
async fn files() {
    let folder = folder();
    let api = TestApi::with(|settings| settings.pages = Pages::Folder(folder.path().into()));
    let script = api.get("/assets/a-1.js").await;
    assert_eq!((script.status.as_u16(), script.text.as_str()), (200, "1"));
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(script.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(api.get("/icon.svg").await.headers["cache-control"], "no-cache");
    for path in [
        "/assets/b.js",
        "/assets/..%2Fsecret.js",
        "/assets/%2e%2e%2fsecret.js",
        "/assets/.hidden.js",
        "/secret.js",
    ] {
        assert_eq!(api.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_pages_the_server_says_how_to_build_them() {
    let api = TestApi::new();
    assert!(ask(&api, "/").await.text.contains("cargo xtask web"));
    assert_eq!(ask(&api, "/executions/x").await.headers["location"], "/api/executions/x");
    assert_eq!(ask(&api, "/workflows").await.error(), "404 no_such_path");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_the_token_once() {
    let folder = folder();
    let api = TestApi::with(|settings| {
        settings.pages = Pages::Folder(folder.path().into());
        settings.path_prefix = "/lineage".to_owned();
        settings.token = Some(Token::new("0123456789abcdef").unwrap());
    });
    let json = ("content-type", "application/json");
    let wrong = api.post("/lineage/session", &[json], r#"{"token":"0123456789abcdee"}"#).await;
    assert!(!wrong.headers.contains_key("set-cookie"));
    assert_eq!(wrong.error(), "401 unauthorized");
    let right = api.post("/lineage/session", &[json], r#"{"token":" 0123456789abcdef "}"#).await;
    let cookie = right.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Path=/lineage/;"), "{cookie}");
    assert!(cookie.ends_with("HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("0123456789abcdef"), "{cookie}");
    let pair = cookie.split(';').next().unwrap().to_owned();
    let with = |pair: String| {
        let request = Request::get("/lineage/api/executions").header("cookie", pair);
        api.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(with(format!("other=1; {pair}")).await.status, 200);
    assert_eq!(with(format!("{pair}0")).await.error(), "401 unauthorized");
    assert_eq!(with("graflow_session=".to_owned()).await.error(), "401 unauthorized");
}
