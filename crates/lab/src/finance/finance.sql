-- sqlite3 finance.db <finance.sql
PRAGMA page_size = 1024;
CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL, picture TEXT);
INSERT INTO articles VALUES
    (1, 'Spring savings', 'https://static.finance.example/banners/spring.jpg'),
    (2, 'Bring a friend', 'https://static.finance.example/banners/friends.jpg'),
    (3, 'Link your account with River Bank', 'https://static.finance.example/help/link-river-bank.png');
CREATE TABLE rates (day TEXT PRIMARY KEY, percent REAL NOT NULL) WITHOUT ROWID;
INSERT INTO rates VALUES ('2019-01-03', 3.1), ('2019-01-04', 3.1), ('2019-01-05', 3.05);
