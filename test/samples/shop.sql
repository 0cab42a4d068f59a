-- A trading company: products from suppliers, orders of customers, employees with territories.
create type order_state as enum ('new', 'paid', 'shipped', 'returned, refunded');
create domain email as text check (value like '%@%');
create type address as (street text, city text, postal_code text, country char(2));

create table countries (code char(2) primary key, name text not null, currency char(3) not null);
insert into countries select chr(65 + i / 26) || chr(65 + i % 26), 'Country ' || i, (array['EUR','USD','JPY'])[i % 3 + 1] from generate_series(0, 59) i;
create table regions (id smallint primary key, name text not null unique);
insert into regions values (1, 'Östlich'), (2, 'Westlich'), (3, 'Norte'), (4, 'Süd');
create table territories (id varchar(20) primary key, description text not null, region_id smallint not null references regions);
insert into territories select lpad(i::text, 5, '0'), 'Territory ' || i, i % 4 + 1 from generate_series(1, 53) i;
create table employees (
  id int generated always as identity primary key, last_name varchar(40) not null, first_name varchar(20) not null,
  title text, birth_date date, hired_at timestamptz, reports_to int references employees, photo bytea, notes text, home address);
insert into employees (last_name, first_name, title, birth_date, hired_at, reports_to, photo, notes, home)
  select 'Last' || i, 'First' || i, case i % 3 when 0 then null else 'Sales' end, date '1950-01-31' + i * 400, timestamptz '1992-05-01 00:00:00.000001+02' + i * interval '100 days',
    case when i > 1 then 1 end, decode(md5(i::text), 'hex'), E'line 1\nline 2\t' || i || ' \\N', row('Main St ' || i, 'Zoë-Town', '0' || i, 'AA')::address from generate_series(1, 9) i;
create table employee_territories (employee_id int references employees, territory_id varchar(20) references territories, primary key (employee_id, territory_id));
insert into employee_territories select i % 9 + 1, lpad(i::text, 5, '0') from generate_series(1, 49) i;
create table categories (id int primary key, name text not null, description text, picture bytea, path int[] not null);
insert into categories select i, 'Category ' || i, null, '\x00ff'::bytea, array[1, i] from generate_series(1, 8) i;
create table suppliers (id int primary key, company text not null, contact email, fax text, homepage text, country char(2) references countries);
insert into suppliers select i, 'Supplier "' || i || '"', 's' || i || '@example.com', nullif(i % 4, 0)::text, '#http://x/' || i || '#', 'AA' from generate_series(1, 29) i;
create table products (
  id int primary key, name text not null, supplier_id int references suppliers, category_id int references categories,
  unit_price numeric(12, 4) not null check (unit_price >= 0), stock smallint, discontinued boolean not null, tags text[] not null, attributes jsonb not null, dimensions real[]);
insert into products select i, 'Product ' || i, i % 29 + 1, i % 8 + 1, i * 1.2345, i % 100, i % 10 = 0, array['t' || i % 5, 'a,b', '{"x"}'],
  jsonb_build_object('weight', i / 3.0, 'id', 9007199254740993 + i, 'nested', jsonb_build_array(null, i)), array[i, null, 1.5]::real[] from generate_series(1, 77) i;
create table price_history (product_id int references products, valid daterange not null, price numeric not null, primary key (product_id, valid));
insert into price_history select p, daterange('2020-01-01'::date + y * 365, '2020-01-01'::date + (y + 1) * 365), p * 1.1 ^ y from generate_series(1, 77) p, generate_series(0, 2) y;
create table customers (id char(5) primary key, company text not null, contact text, contact_email email, country char(2) references countries, registered timestamp(3), score double precision);
insert into customers select 'C' || lpad(i::text, 4, '0'), 'Company ' || i, case when i % 7 > 0 then 'Contact ' || i end, 'c' || i || '@example.com', 'BB', timestamp '2001-01-01' + i * interval '1 day 1 ms', 1.0 / i from generate_series(1, 300) i;
create table customer_demographics (kind char(10) primary key, description text);
create table customer_kinds (customer_id char(5) references customers, kind char(10) references customer_demographics, primary key (customer_id, kind));
create table shippers (id uuid primary key, company text not null, phone text);
insert into shippers select md5(i::text)::uuid, 'Shipper ' || i, '+49 ' || i from generate_series(1, 6) i;
create table orders (
  id bigint primary key, customer_id char(5) not null references customers, employee_id int references employees, ordered_at timestamptz not null, required date,
  shipped_at timestamptz, shipper_id uuid references shippers, freight numeric(10, 2) not null, state order_state not null, ship_to address, ip inet, updated_at timestamptz not null);
insert into orders select 9007199254740993 + i, 'C' || lpad((i % 300 + 1)::text, 4, '0'), i % 9 + 1, timestamptz '2024-02-29 23:59:59.999999+00' + i * interval '1 minute', date '2024-03-01' + i % 30,
    case when i % 5 > 0 then timestamptz '2024-03-02 12:00+05:30' + i * interval '61 s' end, md5((i % 6 + 1)::text)::uuid, i / 7.0, (enum_range(null::order_state))[i % 4 + 1],
    row('Street ' || i, 'City, "Q"', null, 'AA')::address, ('10.0.' || i % 256 || '.1')::inet, timestamptz '2024-03-01' + i * interval '1 s' from generate_series(1, 5000) i;
create index orders_updated on orders (updated_at);
create table order_details (order_id bigint references orders, product_id int references products, unit_price numeric(12, 4) not null, quantity smallint not null, discount real not null,
  total numeric generated always as (unit_price * quantity) stored, primary key (order_id, product_id));
insert into order_details select o.id, (o.id + n) % 77 + 1, 9.99 * n, n, 0.05 * n from orders o, generate_series(1, 3) n;
create table "Order Notes" ("Note Id" serial primary key, order_id bigint references orders, "Text" text, at timestamptz default now());
insert into "Order Notes" (order_id, "Text", at) select id, 'Ünïcode 💥 ' || id, '2024-01-01' from orders where id % 50 = 0;
create table us_states (id smallint primary key, name text, abbr varchar(2), region xml);
insert into us_states select i, 'State ' || i, chr(65 + i % 26) || 'X', xmlparse(content '<r a="' || i || '"/>') from generate_series(1, 51) i;
create view product_sales as select p.id, p.name, sum(d.total) as revenue, count(*) as lines from products p join order_details d on d.product_id = p.id group by p.id, p.name;
create view "Sales by Country" as select c.country, count(o.*) as orders, min(o.ordered_at) as first from customers c left join orders o on o.customer_id = c.id group by c.country;
create materialized view top_customers as select customer_id, sum(freight) as freight from orders group by 1 order by 2 desc limit 50;
analyze;
