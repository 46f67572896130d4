-- +goose Up

-- The roles got the names of the people who have them.
UPDATE users        SET grants = REPLACE(REPLACE(grants, '"role":"owner"', '"role":"admin"'), '"role":"manager"', '"role":"engineer"');
UPDATE setup_tokens SET grants = REPLACE(REPLACE(grants, '"role":"owner"', '"role":"admin"'), '"role":"manager"', '"role":"engineer"');

-- A key's scopes are rights now, and were roles.
UPDATE api_keys SET scopes = REPLACE(REPLACE(REPLACE(REPLACE(scopes,
    '"owner"', '"look","repair","command","configure","money","administer"'),
    '"manager"', '"look","repair","command","configure"'),
    '"operator"', '"look","repair","command"'),
    '"viewer"', '"look"');
