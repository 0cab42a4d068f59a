-- A film rental: films in languages and stores, inventory, rentals and payments (partitioned by month).
create type mpaa_rating as enum ('G', 'PG', 'PG-13', 'R', 'NC-17');
create domain year as integer check (value >= 1901 and value <= 2155);
create table language (language_id int primary key, name char(20) not null, last_update timestamp not null default '2022-02-15 10:02:19');
insert into language values (1, 'English'), (2, 'Italian'), (3, '日本語'), (4, 'Mandarin'), (5, 'French'), (6, 'German');
create table category (category_id int primary key, name varchar(25) not null, last_update timestamp not null default '2022-02-15 09:46:27');
insert into category select i, 'Category ' || i from generate_series(1, 16) i;
create table actor (actor_id int primary key, first_name text not null, last_name text not null, last_update timestamptz not null);
insert into actor select i, 'PENELOPE' || i, 'O''BRIEN ' || i, timestamptz '2022-02-15 09:34:33+00' + i * interval '1 us' from generate_series(1, 200) i;
create table film (
  film_id int primary key, title text not null, description text, release_year year, language_id int not null references language, original_language_id int references language,
  rental_duration interval not null, rental_rate numeric(4, 2) not null, length smallint, replacement_cost numeric(5, 2) not null, rating mpaa_rating, special_features text[], fulltext tsvector not null, last_update timestamptz not null);
insert into film select i, 'FILM ' || i, 'A story of ' || i || ' and a\b backslash', 2006, i % 6 + 1, case when i % 9 = 0 then 2 end, i % 7 * interval '1 day 00:00:00.000001', 0.99 + i % 4, 46 + i % 140, 9.99 + i % 20,
  (enum_range(null::mpaa_rating))[i % 5 + 1], case i % 3 when 0 then null when 1 then array['Trailers', 'Deleted Scenes'] else array['Behind the "Scenes"', null, ''] end, to_tsvector('simple', 'film ' || i), timestamptz '2022-09-10 17:46:03.905795+00' from generate_series(1, 1000) i;
create table film_actor (actor_id int references actor, film_id int references film, last_update timestamptz not null default '2022-02-15', primary key (actor_id, film_id));
insert into film_actor (actor_id, film_id) select (f * 7 + n * 13) % 200 + 1, f from generate_series(1, 1000) f, generate_series(1, 5) n on conflict do nothing;
create table film_category (film_id int references film, category_id int references category, last_update timestamptz not null default '2022-02-15', primary key (film_id, category_id));
insert into film_category select i, i % 16 + 1 from generate_series(1, 1000) i;
create table country (country_id int primary key, country text not null, last_update timestamptz not null default '2022-02-15');
insert into country select i, 'Country ' || i from generate_series(1, 109) i;
create table city (city_id int primary key, city text not null, country_id int not null references country, location point, last_update timestamptz not null default '2022-02-15');
insert into city select i, 'City ' || i, i % 109 + 1, point(i / 3.0, -i) from generate_series(1, 600) i;
create table address (address_id int primary key, address text not null, address2 text, district text not null, city_id int not null references city, postal_code text, phone text not null, last_update timestamptz not null default '2022-02-15');
insert into address select i, i || ' Way', case i % 3 when 0 then null when 1 then '' else 'x' end, 'District', i % 600 + 1, '00' || i, '', '2022-02-15' from generate_series(1, 603) i;
create table store (store_id int primary key, manager_staff_id int not null, address_id int not null references address, hours int4range, last_update timestamptz not null default '2022-02-15');
insert into store values (1, 1, 1, '[9,18)'), (2, 2, 2, 'empty');
create table staff (staff_id int primary key, first_name text not null, address_id int not null references address, email text, store_id int not null references store, active boolean not null, username text not null, password text, picture bytea, shift timetz);
insert into staff values (1, 'Mike', 3, 'm@x', 1, true, 'Mike', '8cb2237d', '\x89504e470d0a1a0a00ff', '08:00:00+02'), (2, 'Jon', 4, null, 2, true, 'Jon', null, '', '24:00:00+00');
create table customer (customer_id int primary key, store_id int not null references store, first_name text not null, last_name text not null, email text, address_id int not null references address, activebool boolean not null, create_date date not null, last_update timestamptz, active int, preferences json);
insert into customer select i, i % 2 + 1, 'Mary' || i, 'Smith', 'm' || i || '@x', i % 603 + 1, i % 15 > 0, date '2022-02-14', timestamptz '2022-02-15 09:57:20+00' + i * interval '1 h', i % 2, '{"a": 1,  "a": 1e400, "id": 18014398509481982123}' from generate_series(1, 599) i;
create table inventory (inventory_id int primary key, film_id int not null references film, store_id int not null references store, last_update timestamptz not null default '2022-02-15');
insert into inventory select i, i % 1000 + 1, i % 2 + 1 from generate_series(1, 4581) i;
create table rental (rental_id int primary key, rental_period tstzrange not null, inventory_id int not null references inventory, customer_id int not null references customer, staff_id int not null references staff, last_update timestamptz not null);
insert into rental select i, tstzrange(timestamptz '2022-05-24 22:53:30+00' + i * interval '1 min', case when i % 20 > 0 then timestamptz '2022-06-24 22:53:30+00' + i * interval '2 min' end), i % 4581 + 1, i % 599 + 1, i % 2 + 1, timestamptz '2022-02-15' + i * interval '1 ms' from generate_series(1, 16044) i;
create table payment (payment_id int not null, customer_id int not null references customer, staff_id int not null references staff, rental_id int not null references rental, amount numeric(5, 2) not null, payment_date timestamptz not null, primary key (payment_date, payment_id)) partition by range (payment_date);
create table payment_p01 partition of payment for values from ('2022-01-01') to ('2022-02-01');
create table payment_p02 partition of payment for values from ('2022-02-01') to ('2022-03-01');
create table payment_rest partition of payment default;
insert into payment select i, i % 599 + 1, i % 2 + 1, i, 0.99 + i % 9, timestamptz '2022-01-01 00:00+00' + i * interval '7 min 0.000001 s' from generate_series(1, 16044) i;
create view customer_list as select c.customer_id as id, c.first_name || ' ' || c.last_name as name, a.address, a.postal_code as "zip code", ci.city, co.country, case when c.activebool then 'active' else '' end as notes, c.store_id as sid
  from customer c join address a using (address_id) join city ci using (city_id) join country co using (country_id);
create view film_list as select f.film_id as fid, f.title, c.name as category, f.rental_rate as price, f.rating, array_agg(a.last_name order by a.actor_id) as actors
  from film f join film_category fc using (film_id) join category c using (category_id) join film_actor fa using (film_id) join actor a using (actor_id) group by f.film_id, c.name;
create view sales_by_store as select s.store_id, count(*) as payments, sum(p.amount) as total_sales from payment p join staff using (staff_id) join store s using (store_id) group by s.store_id;
create materialized view rental_by_category as select c.name as category, sum(p.amount) as total_sales from payment p join rental r using (rental_id) join inventory i using (inventory_id) join film_category fc using (film_id) join category c using (category_id) group by c.name;
analyze;
