// SPDX-License-Identifier: Apache-2.0
//
// What a call of a function leaves behind in its session, as far as its name tells.

#include "sql/tree_walk.h"

#include <stdlib.h>
#include <string.h>

// Functions of pg_catalog that leave nothing behind, in the order of strcmp(). Taken up is what
// statements use, what PostgreSQL 15 to 18 all have (a name that an older server lacks may be somebody's own
// function there), and what runs no text that it is given.
// clang-format off
static const char* const kHarmless[] = {
    "abbrev", "abs", "aclexplode", "acos", "age", "area", "array_agg", "array_append",
    "array_cat", "array_dims", "array_fill", "array_length", "array_lower", "array_ndims",
    "array_position", "array_positions", "array_prepend", "array_remove", "array_replace",
    "array_to_json", "array_to_string", "array_upper", "ascii", "asin", "atan", "atan2", "avg",
    "bit_and", "bit_length", "bit_or", "bit_xor", "bool_and", "bool_or", "box", "bpchar",
    "broadcast", "btrim", "cardinality", "cbrt", "ceil", "ceiling", "center", "char_length",
    "character_length", "chr", "circle", "clock_timestamp", "col_description", "concat",
    "concat_ws", "convert", "convert_from", "convert_to", "corr", "cos", "cot", "count",
    "covar_pop", "covar_samp", "cume_dist", "current_database", "current_query", "current_schema",
    "current_schemas", "current_setting", "date", "date_bin", "date_part", "date_trunc",
    "daterange", "decode", "degrees", "dense_rank", "diameter", "div", "encode", "every", "exp",
    "extract", "factorial", "family", "first_value", "float4", "float8", "floor", "format",
    "format_type", "gcd", "gen_random_uuid", "generate_series", "generate_subscripts", "get_bit",
    "get_byte", "has_any_column_privilege", "has_column_privilege", "has_database_privilege",
    "has_foreign_data_wrapper_privilege", "has_function_privilege", "has_language_privilege",
    "has_parameter_privilege", "has_schema_privilege", "has_sequence_privilege",
    "has_server_privilege", "has_table_privilege", "has_tablespace_privilege",
    "has_type_privilege", "hashtext", "hashtextextended", "height", "host", "hostmask",
    "inet_client_addr", "inet_client_port", "inet_merge", "inet_same_family", "inet_server_addr",
    "inet_server_port", "initcap", "int4", "int4range", "int8", "int8range", "interval",
    "is_normalized", "isempty", "isfinite", "json_agg", "json_array_elements",
    "json_array_elements_text", "json_array_length", "json_build_array", "json_build_object",
    "json_each", "json_each_text", "json_extract_path", "json_extract_path_text", "json_object",
    "json_object_agg", "json_object_keys", "json_populate_record", "json_populate_recordset",
    "json_strip_nulls", "json_to_record", "json_to_recordset", "json_typeof", "jsonb_agg",
    "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_array_length",
    "jsonb_build_array", "jsonb_build_object", "jsonb_each", "jsonb_each_text",
    "jsonb_extract_path", "jsonb_extract_path_text", "jsonb_insert", "jsonb_object",
    "jsonb_object_agg", "jsonb_object_keys", "jsonb_path_exists", "jsonb_path_match",
    "jsonb_path_query", "jsonb_path_query_array", "jsonb_path_query_first",
    "jsonb_populate_record", "jsonb_populate_recordset", "jsonb_pretty", "jsonb_set",
    "jsonb_set_lax", "jsonb_strip_nulls", "jsonb_to_record", "jsonb_to_recordset", "jsonb_typeof",
    "justify_days", "justify_hours", "justify_interval", "lag", "last_value", "lcm", "lead",
    "left", "length", "like", "like_escape", "line", "ln", "log", "log10", "lower", "lower_inc",
    "lower_inf", "lpad", "lseg", "ltrim", "make_date", "make_interval", "make_time",
    "make_timestamp", "make_timestamptz", "masklen", "max", "md5", "min", "min_scale", "mod",
    "mode", "multirange", "name", "netmask", "network", "normalize", "notlike", "now",
    "nth_value", "ntile", "numeric", "numeric_inc", "numnode", "numrange", "obj_description",
    "octet_length", "overlaps", "overlay", "path", "percent_rank", "percentile_cont",
    "percentile_disc", "pg_advisory_unlock", "pg_advisory_unlock_all",
    "pg_advisory_unlock_shared", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared",
    "pg_available_extensions", "pg_backend_pid", "pg_blocking_pids", "pg_cancel_backend",
    "pg_char_to_encoding", "pg_client_encoding", "pg_collation_for", "pg_collation_is_visible",
    "pg_column_is_updatable", "pg_column_size", "pg_conf_load_time", "pg_current_snapshot",
    "pg_current_wal_insert_lsn", "pg_current_wal_lsn", "pg_current_xact_id",
    "pg_current_xact_id_if_assigned", "pg_cursor", "pg_database_size", "pg_describe_object",
    "pg_encoding_to_char", "pg_function_is_visible", "pg_get_constraintdef", "pg_get_expr",
    "pg_get_function_arg_default", "pg_get_function_arguments",
    "pg_get_function_identity_arguments", "pg_get_function_result", "pg_get_functiondef",
    "pg_get_indexdef", "pg_get_keywords", "pg_get_partition_constraintdef", "pg_get_partkeydef",
    "pg_get_ruledef", "pg_get_serial_sequence", "pg_get_statisticsobjdef", "pg_get_triggerdef",
    "pg_get_userbyid", "pg_get_viewdef", "pg_has_role", "pg_identify_object", "pg_indexes_size",
    "pg_is_in_recovery", "pg_is_other_temp_schema", "pg_last_wal_receive_lsn",
    "pg_last_wal_replay_lsn", "pg_last_xact_replay_timestamp", "pg_listening_channels",
    "pg_lock_status", "pg_my_temp_schema", "pg_notify", "pg_opclass_is_visible",
    "pg_operator_is_visible", "pg_options_to_table", "pg_partition_ancestors",
    "pg_partition_root", "pg_partition_tree", "pg_postmaster_start_time", "pg_prepared_statement",
    "pg_relation_filenode", "pg_relation_is_updatable", "pg_relation_size",
    "pg_sequence_last_value", "pg_sequence_parameters", "pg_show_all_settings", "pg_size_bytes",
    "pg_size_pretty", "pg_sleep", "pg_stat_get_activity", "pg_table_is_visible", "pg_table_size",
    "pg_tablespace_location", "pg_tablespace_size", "pg_terminate_backend", "pg_timezone_abbrevs",
    "pg_timezone_names", "pg_total_relation_size", "pg_trigger_depth",
    "pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared", "pg_ts_config_is_visible",
    "pg_type_is_visible", "pg_typeof", "pg_wal_lsn_diff", "pg_walfile_name", "phraseto_tsquery",
    "pi", "plainto_tsquery", "point", "polygon", "position", "pow", "power", "querytree",
    "quote_ident", "quote_literal", "quote_nullable", "radians", "radius", "random", "range_agg",
    "range_merge", "rank", "regexp_count", "regexp_instr", "regexp_like", "regexp_match",
    "regexp_matches", "regexp_replace", "regexp_split_to_array", "regexp_split_to_table",
    "regexp_substr", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2",
    "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "repeat", "replace", "reverse", "right",
    "round", "row_number", "row_security_active", "row_to_json", "rpad", "rtrim", "scale",
    "set_bit", "set_byte", "set_masklen", "setweight", "sha224", "sha256", "sha384", "sha512",
    "shobj_description", "sign", "similar_escape", "similar_to_escape", "sin", "split_part",
    "sqrt", "starts_with", "statement_timestamp", "stddev", "stddev_pop", "stddev_samp",
    "string_agg", "string_to_array", "string_to_table", "strip", "strpos", "substr", "substring",
    "sum", "tan", "text", "texteq", "time", "timeofday", "timestamp", "timestamptz", "timezone",
    "to_ascii", "to_char", "to_date", "to_hex", "to_json", "to_jsonb", "to_number", "to_regclass",
    "to_regnamespace", "to_regoper", "to_regproc", "to_regprocedure", "to_regrole", "to_regtype",
    "to_timestamp", "to_tsquery", "to_tsvector", "transaction_timestamp", "translate",
    "trim_array", "trim_scale", "trunc", "ts_headline", "ts_rank", "ts_rank_cd", "tsrange",
    "tstzrange", "txid_current", "txid_current_if_assigned", "txid_current_snapshot", "unistr",
    "unnest", "upper", "upper_inc", "upper_inf", "var_pop", "var_samp", "varchar", "variance",
    "version", "websearch_to_tsquery", "width", "width_bucket", "xml_is_well_formed", "xmlagg",
    "xmlexists", "xpath", "xpath_exists",
};
// clang-format on

struct effect {
  const char* name;
  unsigned pins;
};

// Those of pg_catalog that leave something known behind. A set_config() pins by its arguments: see
// setting_changes.c.
static const struct effect kEffects[] = {
    {"currval", SQL_PIN_SEQUENCE},
    {"lastval", SQL_PIN_SEQUENCE},
    {"nextval", SQL_PIN_SEQUENCE},
    {"pg_advisory_lock", SQL_PIN_ADVISORY_LOCK},
    {"pg_advisory_lock_shared", SQL_PIN_ADVISORY_LOCK},
    {"pg_copy_logical_replication_slot", SQL_PIN_PROCESS_STATE},
    {"pg_copy_physical_replication_slot", SQL_PIN_PROCESS_STATE},
    {"pg_create_logical_replication_slot", SQL_PIN_PROCESS_STATE},
    {"pg_create_physical_replication_slot", SQL_PIN_PROCESS_STATE},
    {"pg_replication_origin_session_reset", SQL_PIN_PROCESS_STATE},
    {"pg_replication_origin_session_setup", SQL_PIN_PROCESS_STATE},
    {"pg_try_advisory_lock", SQL_PIN_ADVISORY_LOCK},
    {"pg_try_advisory_lock_shared", SQL_PIN_ADVISORY_LOCK},
    {"set_config", 0},
    {"setseed", SQL_PIN_PROCESS_STATE},
    {"setval", SQL_PIN_SEQUENCE},
};

static int compare_name(const void* name, const void* element) {
  return strcmp(name, *(const char* const*)element);
}

static bool is_harmless(const char* name) {
  return bsearch(name, kHarmless, lengthof(kHarmless), sizeof *kHarmless, compare_name) != NULL;
}

static unsigned pins_of_builtin(const char* name) {
  if (is_harmless(name)) return 0;
  for (size_t i = 0; i < lengthof(kEffects); ++i)
    if (strcmp(kEffects[i].name, name) == 0) return kEffects[i].pins;
  return SQL_PIN_UNKNOWN;
}

unsigned sql_function_pins(const char* schema, const char* name) {
  // An extension's, in whatever schema it was put.
  if (strncmp(name, "dblink_connect", strlen("dblink_connect")) == 0)
    return SQL_PIN_PROCESS_STATE | SQL_PIN_UNKNOWN;
  if (schema == NULL || strcmp(schema, "pg_catalog") == 0) return pins_of_builtin(name);
  // The proxy answers it; where it cannot, the statement never reaches the server.
  if (strcmp(schema, "helios") == 0 && strcmp(name, "kv") == 0) return 0;
  return SQL_PIN_UNKNOWN;
}
