// SPDX-License-Identifier: Apache-2.0
#pragma once

// A statement's text without the secrets in it, for what is kept longer than the statement runs: logs, trails. Everything else
// stays byte for byte. It reads any bytes, whether they parse or not, and needs no parse tree.
//
// What becomes *** (between its quotes, which stay):
//   - the string behind PASSWORD and behind CONNECTION (of a subscription), and its continuation;
//   - strings compared with, assigned to, or passed by a name that holds a secret (secret_names.hpp): password = '...',
//     '...' = password, '...' IN (password), password BETWEEN '...' AND '...', SET app.api_key TO '...', f(password => '...'),
//     OPTIONS (ADD password '...'), and in INSERT the values of such columns, or all of a VALUES within its SELECT;
//   - the value behind a string that is such a name, set_config('app.password', '...', false), or, where it is given by name
//     (value => '...'), in front of one;
//   - what is compared with, or assigned to, a name of the form U&"...";
//   - the keys of pgcrypto's functions, both arguments of crypt(), and all arguments of EXECUTE;
//   - within any string and comment, secret_text.hpp: of connection strings, of JSON, of SQL; and SCRAM and MD5 verifiers.
// Where it cannot tell, it masks: more than a secret may go. What it cannot know stays: a secret in a column of another name
// ("select f('hunter2')"), one that is put together of parts ('pass' || 'word=x'), the password in a COPY's data.
//
// Linear in the text's length, no recursion; nothing is allocated for a text without secrets.
// redact(redact(x)) changes nothing more.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace helios::sql {

// `out`: the text without its secrets; nullopt: there are none, the text can be shown as it is. Returns false, with `out`
// untouched, when `go_on` said that there is no more time: it is asked now and then, and never for a text below 64 KiB.
// `standard_conforming_strings`: as the server reads it. A text in an encoding that is not ASCII-safe (ReadingRules) may be
// read wrongly, and a secret stay. Thread rule: any thread.
[[nodiscard]] bool redact_while(const std::function<bool()>& go_on, std::string_view text,
                                bool standard_conforming_strings, std::optional<std::string>& out);
[[nodiscard]] std::optional<std::string> redact(std::string_view text,
                                                bool standard_conforming_strings);

// The same of a message, such as an error's, that may repeat parts of a statement and is no SQL itself: all of it is read as
// one string is.
[[nodiscard]] std::optional<std::string> redact_message(std::string_view message);

}  // namespace helios::sql
