//! Starts the real binary on a free port, speaks HTTP to it, and reads its log.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything here takes, shorter than a run that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; killed when dropped.
pub(crate) struct App {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<Log>,
    agent: ureq::Agent,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The `result` member as it was written, digit for digit.
    pub(crate) fn result_text(&self) -> String {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        let text = String::from_utf8(self.body.clone()).unwrap();
        text.strip_prefix("{\"result\":").and_then(|rest| rest.strip_suffix('}')).unwrap().to_owned()
    }
}

/// The `augur` command with an environment that says nothing of its own.
pub(crate) fn augur() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_augur")))
}

/// The same, ended by an interrupt also where the tests run in a shell's background, which has its children ignore it.
pub(crate) fn interruptible_augur() -> Command {
    let mut command = without_settings(Command::new("env"));
    command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_augur")]);
    command
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AUGUR")) {
        command.env_remove(name);
    }
    command
}

impl App {
    /// Starts `augur serve` with these `--set` arguments.
    pub(crate) fn start<S: AsRef<str>>(settings: &[S]) -> Self {
        let mut command = augur();
        command.args(["serve", "--set", "server.listen=[\"127.0.0.1:0\"]"]);
        for setting in settings {
            command.args(["--set", setting.as_ref()]);
        }
        Self::from_command(command)
    }

    pub(crate) fn from_command(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Log::default());
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                sink.lines.lock().unwrap().push(line);
                sink.grown.notify_all();
            }
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_idle_connections_per_host(100)
            .build()
            .into();
        let mut app = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), log, agent };
        let line = app.wait_for_log("listening on http://");
        let port = line.split("http://127.0.0.1:").nth(1).unwrap().split([';', ',']).next().unwrap();
        app.address.set_port(port.parse().unwrap());
        app
    }

    /// Waits for a line of the log that contains `text`.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut lines = self.log.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no `{text}` in the log:\n{}", lines.join("\n"));
            lines = self.log.grown.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// The log up to now, without the lines of the marks that this itself sets: lines are written a moment after what they
    /// tell of, but in order.
    pub(crate) fn log(&self) -> String {
        static MARKS: AtomicU64 = AtomicU64::new(0);
        let mark = format!("mark-{}", MARKS.fetch_add(1, Ordering::Relaxed));
        // Where the process has ended, all of it is there.
        if self.agent.get(self.url("/health/live")).header("X-Request-Id", &mark).call().is_ok() {
            self.wait_for_log(&mark);
        }
        let lines = self.log.lines.lock().unwrap();
        lines.iter().filter(|line| !line.contains("request_id=mark-")).cloned().collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `POST /url {"url": url}` as the Flask program's clients send it.
    pub(crate) fn ask(&self, url: &str) -> Response {
        self.post("/url", &serde_json::json!({ "url": url }).to_string())
    }

    pub(crate) fn post(&self, path: &str, json: &str) -> Response {
        self.try_post(path, json).unwrap()
    }

    pub(crate) fn try_post(&self, path: &str, json: &str) -> Result<Response, ureq::Error> {
        let request = self.agent.post(self.url(path)).header("Content-Type", "application/json");
        request.send(json).map(collect)
    }

    /// `POST /url` with headers of one's own.
    pub(crate) fn post_with(&self, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.post_to("/url", headers, body)
    }

    /// The same to any path.
    pub(crate) fn post_to(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut request = self.agent.post(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        collect(request.send(body).unwrap())
    }

    /// Any request; `body` is JSON.
    pub(crate) fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Response {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        collect(match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body.to_owned()).unwrap()).unwrap()
            }
            None => self.agent.run(request.body(()).unwrap()).unwrap(),
        })
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        collect(self.agent.get(self.url(path)).call().unwrap())
    }

    /// Sends bytes as they are and reads until the server closes; for what no client library would send.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The server may refuse and close before everything is sent.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Most memory that the process ever held, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Sends a signal by name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Sets how many files the process may have open, and says how many it might before.
    pub(crate) fn limit_files(&self, count: Option<u64>) -> Option<u64> {
        let process = rustix::process::Pid::from_child(&self.child);
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let limit = rustix::process::Rlimit { current: count, ..limit };
        rustix::process::prlimit(Some(process), rustix::process::Resource::Nofile, limit).unwrap().current
    }

    /// `kill -9` and wait.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the process to end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the server does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(response: ureq::http::Response<ureq::Body>) -> Response {
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Response { status: response.status().as_u16(), headers, body: response.into_body().read_to_vec().unwrap() }
}
