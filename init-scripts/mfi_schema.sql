-- The bank's schema. Run at the first start of an empty volume, in the database mfi_banking.
SET client_min_messages = warning;
CREATE EXTENSION mfi CASCADE;
