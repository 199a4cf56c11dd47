-- Where a Vonage user lives: the application and the region. The rows from before have no such word and so live elsewhere.
ALTER TABLE ready_users ADD COLUMN home TEXT NOT NULL DEFAULT '';
ALTER TABLE visitors ADD COLUMN user_home TEXT NOT NULL DEFAULT '';
