//! The shop's web front: log in, change the password, look at an order. The last of these has the hole.

use super::customers::Customer;
use super::database::{Session, literal};
use super::passwords::Keeping;
use crate::http::{HttpMessage, HttpReader};
use crate::server::{listen, path_of};
use crate::tester::Outcome;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The front, its connections to the database, and how it keeps passwords.
#[derive(Debug)]
pub struct Front {
    /// For what customers may change.
    owner: Mutex<Session>,
    /// For what anybody may look at: it can only read.
    reader: Mutex<Session>,
    keeping: Keeping,
}

/// The definition of the shop's tables.
const SCHEMA: &str = "create table customer (user_id bigint primary key, username text not null, password text not null, \
    real_name text, email text not null, mobile text, id_card text, reg_time bigint not null); \
    create table orders (order_no text primary key, user_id bigint references customer, address text); \
    create index on customer (email)";

impl Front {
    /// Fills the shop with its customers.
    ///
    /// # Errors
    /// The database does not take them.
    pub fn open(mut owner: Session, reader: Session, keeping: Keeping, customers: &[Customer]) -> Outcome<Arc<Self>> {
        owner.ask(SCHEMA)?;
        for some in customers.chunks(500) {
            let rows: Vec<String> = some.iter().map(|customer| row(customer, keeping)).collect();
            owner.ask(&format!("insert into customer values {}", rows.join(",")))?;
            let orders: Vec<String> = some.iter().map(order).collect();
            owner.ask(&format!("insert into orders values {}", orders.join(",")))?;
        }
        Ok(Arc::new(Self { owner: Mutex::new(owner), reader: Mutex::new(reader), keeping }))
    }

    /// Serves on an address of this machine.
    ///
    /// # Errors
    /// No port is free.
    pub fn serve(self: &Arc<Self>) -> io::Result<SocketAddr> {
        let front = Arc::clone(self);
        listen(SocketAddr::from(([127, 0, 0, 1], 0)), move |stream| front.converse(stream))
    }

    /// What the shop holds of each customer now, as its own list of accounts: CSV with a header line.
    ///
    /// # Errors
    /// The database is gone.
    pub fn accounts(&self) -> Outcome<String> {
        let rows = ask(&self.owner, "select username, email, mobile, password from customer order by user_id")?;
        let quoted = |row: &String| row.split('\t').map(|field| format!("\"{field}\"")).collect::<Vec<_>>().join(",");
        let lines: Vec<String> = rows.iter().map(quoted).collect();
        Ok(format!("username,email,mobile,password\n{}\n", lines.join("\n")))
    }

    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = HttpReader::new(stream);
        while let Some(request) = reader.read()? {
            self.answer(&request).map_err(|error| io::Error::other(error.to_string()))?.write(reader.stream())?;
        }
        Ok(())
    }

    fn answer(&self, request: &HttpMessage) -> Outcome<HttpMessage> {
        let form: Vec<(String, String)> = fields(&String::from_utf8_lossy(&request.body));
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        Ok(match path_of(request) {
            "/order" => self.order(request)?,
            "/login" if self.is_password(field("email"), field("password"))? => page("200 OK", "welcome\n"),
            "/password" if self.is_password(field("email"), field("old"))? => {
                let kept = self.keeping.keep(field("new"), field("email"));
                let (kept, email) = (literal(&kept), literal(field("email")));
                ask(&self.owner, &format!("update customer set password = {kept} where email = {email}"))?;
                page("200 OK", "changed\n")
            }
            "/login" | "/password" => page("403 Forbidden", "no\n"),
            _ => page("404 Not Found", "nothing here\n"),
        })
    }

    /// **The hole**: the number of the order goes into the statement as it was typed. It can only be read through: the
    /// connection is one that cannot write, and what would be a command of psql is taken out.
    fn order(&self, request: &HttpMessage) -> Outcome<HttpMessage> {
        let query = request.start.split([' ', '?']).nth(2).unwrap_or_default();
        let number = fields(query).into_iter().find(|(name, _)| name == "no").map_or(String::new(), |(_, value)| value);
        let number: String = number.chars().filter(|c| !c.is_control() && *c != '\\').collect();
        let rows = ask(&self.reader, &format!("select order_no, address from orders where order_no = '{number}'"))?;
        Ok(page("200 OK", &format!("{}\n", rows.join("\n"))))
    }

    fn is_password(&self, email: &str, typed: &str) -> Outcome<bool> {
        let kept = ask(&self.owner, &format!("select password from customer where email = {}", literal(email)))?;
        Ok(kept.first().is_some_and(|kept| self.keeping.is_of(kept, typed)))
    }
}

fn ask(session: &Mutex<Session>, statement: &str) -> Outcome<Vec<String>> {
    session.lock().unwrap_or_else(PoisonError::into_inner).ask(statement)
}

fn row(customer: &Customer, keeping: Keeping) -> String {
    let kept = keeping.keep(&customer.password, &customer.email);
    let id = customer.resident_id.as_deref().map_or("null".to_owned(), literal);
    let texts = [&customer.account, &kept, &customer.name, &customer.email, &customer.mobile].map(|text| literal(text));
    format!("({}, {}, {id}, {})", customer.number, texts.join(","), customer.opened)
}

fn order(customer: &Customer) -> String {
    format!("({}, {}, {})", literal(&customer.order), customer.number, literal(&customer.address))
}

fn page(status: &str, text: &str) -> HttpMessage {
    HttpMessage::new(&format!("HTTP/1.1 {status}")).with("text/plain; charset=utf-8", text)
}

/// Fields of a form (WHATWG URL, application/x-www-form-urlencoded).
fn fields(form: &str) -> Vec<(String, String)> {
    form.split('&').filter_map(|field| field.split_once('=')).map(|(name, value)| (plain(name), plain(value))).collect()
}

fn plain(coded: &str) -> String {
    let mut bytes = Vec::with_capacity(coded.len());
    let mut rest = coded.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let hex = behind.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(value) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(value);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text in a form.
pub(super) fn coded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
