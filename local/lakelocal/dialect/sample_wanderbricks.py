"""The tables of `samples.wanderbricks`: a platform on which travellers book holiday homes.

Source of the columns: Databricks documentation, "Wanderbricks dataset", and the tables' definitions in Unity Catalog.
"""

from lakelocal.dialect.sample_values import KEY, PHONE, amount, day, listed, moment, named, pick, table_of, whole

_ID = "BIGINT"
_COUNTRIES = ("Australia", "Japan", "France", "Italy", "Canada", "Brazil", "Spain", "South Africa", "India", "Mexico")
_CODES = ("AU", "JP", "FR", "IT", "CA", "BR", "ES", "ZA", "IN", "MX")
_CONTINENTS = (
    "Oceania", "Asia", "Europe", "Europe", "North America", "South America", "Europe", "Africa", "Asia",
    "North America",
)  # fmt: skip
_DESTINATIONS = (
    "Sydney", "Kyoto", "Nice", "Florence", "Banff", "Paraty", "Seville", "Cape Town", "Jaipur", "Oaxaca",
    "Hobart", "Sapporo", "Lyon", "Verona", "Quebec City", "Salvador", "Valencia", "Durban", "Goa", "Tulum",
)  # fmt: skip
_STATES = (
    "New South Wales", "Kyoto", "Provence", "Tuscany", "Alberta", "Rio de Janeiro", "Andalusia", "Western Cape",
    "Rajasthan", "Oaxaca", "Tasmania", "Hokkaido", "Rhone", "Veneto", "Quebec", "Bahia", "Valencia", "KwaZulu-Natal",
    "Goa", "Quintana Roo",
)  # fmt: skip
_STATE_CODES = (
    "NSW", "26", "PAC", "52", "AB", "RJ", "AN", "WC", "RJ", "OAX", "TAS", "01", "ARA", "34", "QC", "BA", "VC", "KZN",
    "GA", "ROO",
)  # fmt: skip
_AMENITIES = (
    "Wi-Fi", "Pool", "Kitchen", "Parking", "Air conditioning", "Hot tub", "Washer", "Fireplace", "Sea view", "Gym",
)  # fmt: skip
_PERSON = (
    f"concat({pick('Ana', 'Ben', 'Chloe', 'Daniel', 'Emma', 'Felix', 'Grace', 'Hiro', 'Ines')}, ' ', "
    f"{pick('Adams', 'Berg', 'Costa', 'Dubois', 'Evans', 'Fischer', 'Garcia', 'Ito', 'Kim')})"
)
_DEVICE = pick("desktop", "mobile", "tablet")
_REFERRER = pick("google", "direct", "email", "ad")
_BOOKING = pick("pending", "pending", "confirmed", "confirmed", "completed", "cancelled")
_COMMENT = pick(
    "Lovely place, we would come again.", "The host answered at once.", "Smaller than in the pictures.",
    "Quiet street, great breakfast nearby.", "The heating did not work.", "Perfect for a family.",
)  # fmt: skip
_USERS, _HOSTS, _PROPERTIES, _BOOKINGS, _TICKETS = 500, 100, 400, 2000, 120


def _email(host: str) -> str:
    return f"concat(replace(lower(name), ' ', '.'), row + 1, '@{host}.example')"


def _one_of(count: int) -> str:
    """A key of a table with *count* rows."""
    return whole(1, count)


def _message(sender: str, text: str, sentiment: str, hours: int) -> str:
    time = f"date_format(CAST(created_at AS TIMESTAMP) + INTERVAL {hours} HOURS, 'yyyy-MM-dd HH:mm:ss')"
    return f"named_struct('message', {text}, 'sender', '{sender}', 'sentiment', {sentiment}, 'timestamp', {time})"


_QUESTION = _message(
    "user", pick("How do I change my dates?", "Where is my refund?", "The key box is empty."),
    pick("neutral", "negative"), 0,
)  # fmt: skip
_ANSWER = _message("agent", pick("We have asked the host.", "It is on its way.", "Please check."), "'positive'", 2)
_TITLE = f"concat({pick('Sunny', 'Quiet', 'Modern', 'Old')}, ' ', {pick('loft', 'house', 'villa')})"
_DESCRIPTION = pick("Close to the market.", "With a view of the hills.", "Two minutes to the beach.")

WANDERBRICKS = {
    "wanderbricks.amenities": table_of(
        len(_AMENITIES),
        ("amenity_id", _ID, KEY),
        ("name", "STRING", listed(*_AMENITIES)),
        ("category", "STRING", listed("Basic", "Luxury")),
        ("icon", "STRING", "replace(lower(name), ' ', '-')"),
    ),
    "wanderbricks.booking_updates": table_of(
        1500,
        ("booking_id", _ID, _one_of(_BOOKINGS)),
        ("booking_update_id", _ID, KEY),
        ("check_in", "DATE", day("2023-01-05", 900)),
        ("check_out", "DATE", f"date_add(check_in, CAST({whole(1, 14)} AS INT))"),
        ("created_at", "TIMESTAMP", moment("2022-10-01 00:00:00", 90)),
        ("guests_count", "INT", whole(1, 6)),
        ("property_id", _ID, _one_of(_PROPERTIES)),
        ("status", "STRING", _BOOKING),
        ("total_amount", "FLOAT", f"datediff(check_out, check_in) * {amount(40, 400)}"),
        ("updated_at", "TIMESTAMP", f"created_at + make_dt_interval(0, {whole(1, 2000)})"),
        ("user_id", _ID, _one_of(_USERS)),
    ),
    "wanderbricks.bookings": table_of(
        _BOOKINGS,
        ("booking_id", _ID, KEY),
        ("user_id", _ID, _one_of(_USERS)),
        ("property_id", _ID, _one_of(_PROPERTIES)),
        ("check_in", "DATE", day("2023-01-05", 900)),
        ("check_out", "DATE", f"date_add(check_in, CAST({whole(1, 14)} AS INT))"),
        ("guests_count", "INT", whole(1, 6)),
        ("total_amount", "FLOAT", f"datediff(check_out, check_in) * {amount(40, 400)}"),
        ("status", "STRING", _BOOKING),
        ("created_at", "TIMESTAMP", f"CAST(check_in AS TIMESTAMP) - make_dt_interval({whole(1, 90)}, {whole(0, 23)})"),
        ("updated_at", "TIMESTAMP", f"created_at + make_dt_interval(0, {whole(0, 200)})"),
    ),
    "wanderbricks.clickstream": table_of(
        3000,
        ("event", "STRING", pick("view", "click", "search", "filter")),
        ("metadata", "STRUCT<device: STRING, referrer: STRING>",
         f"named_struct('device', {_DEVICE}, 'referrer', {_REFERRER})"),
        ("property_id", _ID, _one_of(_PROPERTIES)),
        ("timestamp", "TIMESTAMP", moment("2025-01-01 00:00:00", 180)),
        ("user_id", _ID, _one_of(_USERS)),
    ),
    "wanderbricks.countries": table_of(
        len(_COUNTRIES),
        ("country", "STRING", listed(*_COUNTRIES)),
        ("country_code", "STRING", listed(*_CODES)),
        ("continent", "STRING", listed(*_CONTINENTS)),
    ),
    "wanderbricks.customer_support_logs": table_of(
        _TICKETS,
        ("created_at", "STRING", f"date_format({moment('2025-01-01 00:00:00', 180)}, 'yyyy-MM-dd HH:mm:ss')"),
        ("messages", "ARRAY<STRUCT<message: STRING, sender: STRING, sentiment: STRING, timestamp: STRING>>",
         f"array({_QUESTION}, {_ANSWER})"),
        ("support_agent_id", "STRING", f"concat('agent_', {whole(1, 12)})"),
        ("ticket_id", "STRING", named("ticket_", 6)),
        ("user_id", _ID, _one_of(_USERS)),
    ),
    "wanderbricks.destinations": table_of(
        len(_DESTINATIONS),
        ("destination_id", _ID, KEY),
        ("destination", "STRING", listed(*_DESTINATIONS)),
        ("country", "STRING", listed(*_COUNTRIES)),
        ("state_or_province", "STRING", listed(*_STATES)),
        ("state_or_province_code", "STRING", listed(*_STATE_CODES)),
        ("description", "STRING", "concat('# ', destination, '\\n\\nA place worth a journey in ', country, '.')"),
    ),
    "wanderbricks.employees": table_of(
        150,
        ("employee_id", _ID, KEY),
        ("host_id", _ID, _one_of(_HOSTS)),
        ("name", "STRING", _PERSON),
        ("role", "STRING", pick("cleaner", "chef", "gardener", "manager")),
        ("email", "STRING", _email("staff")),
        ("phone", "STRING", PHONE),
        ("country", "STRING", pick(*_COUNTRIES)),
        ("joined_at", "DATE", day("2018-01-01", 1800)),
        ("end_service_date", "DATE", f"IF(chance < 0.2, date_add(joined_at, CAST({whole(30, 900)} AS INT)), NULL)"),
        ("is_currently_employed", "BOOLEAN", "end_service_date IS NULL"),
    ),
    "wanderbricks.hosts": table_of(
        _HOSTS,
        ("host_id", _ID, KEY),
        ("name", "STRING", _PERSON),
        ("email", "STRING", _email("hosts")),
        ("phone", "STRING", PHONE),
        ("is_verified", "BOOLEAN", "chance < 0.8"),
        ("is_active", "BOOLEAN", "chance < 0.9"),
        ("rating", "FLOAT", amount(1, 5, 1)),
        ("country", "STRING", pick(*_COUNTRIES)),
        ("joined_at", "DATE", day("2016-01-01", 2500)),
    ),
    "wanderbricks.page_views": table_of(
        3000,
        ("device_type", "STRING", _DEVICE),
        ("page_url", "STRING", f"concat('https://wanderbricks.example/properties/', {_one_of(_PROPERTIES)})"),
        ("property_id", _ID, "substring_index(page_url, '/', -1)"),
        ("referrer", "STRING", _REFERRER),
        ("timestamp", "TIMESTAMP", moment("2025-01-01 00:00:00", 180)),
        ("user_id", _ID, _one_of(_USERS)),
        ("view_id", _ID, KEY),
    ),
    "wanderbricks.payments": table_of(
        1800,
        ("payment_id", _ID, KEY),
        ("booking_id", _ID, KEY),
        ("amount", "DECIMAL(15,4)", amount(40, 5000)),
        ("payment_method", "STRING", pick("credit_card", "paypal", "apple_pay", "google_pay", "bank_transfer")),
        ("status", "STRING", pick("pending", "completed", "completed", "completed", "failed", "refunded")),
        ("payment_date", "TIMESTAMP", moment("2022-11-01 00:00:00", 900)),
    ),
    "wanderbricks.properties": table_of(
        _PROPERTIES,
        ("property_id", _ID, KEY),
        ("host_id", _ID, _one_of(_HOSTS)),
        ("destination_id", _ID, _one_of(len(_DESTINATIONS))),
        ("title", "STRING", _TITLE),
        ("description", "STRING", _DESCRIPTION),
        ("base_price", "FLOAT", amount(40, 400)),
        ("property_type", "STRING", pick("house", "apartment", "villa", "cabin")),
        ("max_guests", "INT", whole(1, 8)),
        ("bedrooms", "INT", whole(1, 5)),
        ("bathrooms", "INT", whole(1, 3)),
        ("property_latitude", "FLOAT", amount(-45, 60, 4)),
        ("property_longitude", "FLOAT", amount(-120, 150, 4)),
        ("created_at", "DATE", day("2018-01-01", 1800)),
    ),
    "wanderbricks.property_amenities": table_of(
        1200,
        ("property_id", _ID, "row DIV 3 + 1"),
        ("amenity_id", _ID, f"(property_id + row % 3 * 3) % {len(_AMENITIES)} + 1"),
    ),
    "wanderbricks.property_images": table_of(
        1200,
        ("image_id", _ID, KEY),
        ("property_id", _ID, "row DIV 3 + 1"),
        ("url", "STRING", "concat('https://wanderbricks.example/images/', image_id, '.jpg')"),
        ("sequence", "INT", "row % 3 + 1"),
        ("is_primary", "BOOLEAN", "sequence = 1"),
        ("uploaded_at", "DATE", day("2019-01-01", 1800)),
    ),
    "wanderbricks.reviews": table_of(
        1200,
        ("booking_id", _ID, KEY),
        ("comment", "STRING", _COMMENT),
        ("created_at", "TIMESTAMP", moment("2023-02-01 00:00:00", 900)),
        ("is_deleted", "BOOLEAN", "chance < 0.02"),
        ("property_id", _ID, _one_of(_PROPERTIES)),
        ("rating", "DOUBLE", amount(1, 5, 1)),
        ("review_id", _ID, KEY),
        ("updated_at", "TIMESTAMP", f"created_at + make_dt_interval(0, {whole(0, 200)})"),
        ("user_id", _ID, _one_of(_USERS)),
    ),
    "wanderbricks.users": table_of(
        _USERS,
        ("user_id", _ID, KEY),
        ("email", "STRING", "concat('user', row + 1, '@mail.example')"),
        ("name", "STRING", _PERSON),
        ("country", "STRING", pick(*_COUNTRIES)),
        ("user_type", "STRING", pick("individual", "business")),
        ("created_at", "TIMESTAMP", moment("2020-01-01 00:00:00", 1000)),
        ("is_business", "BOOLEAN", "user_type = 'business'"),
        ("company_name", "STRING",
         f"IF(is_business, {pick('Acme Travel', 'Blue Sky Tours', 'North Star', 'Sunrise Group')}, NULL)"),
    ),
}  # fmt: skip
