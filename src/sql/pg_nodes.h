// SPDX-License-Identifier: Apache-2.0
#pragma once

// PostgreSQL's headers, in the one order that they accept. Included before anything else.

// clang-format off
#include <postgres.h>
#include <nodes/nodeFuncs.h>
#include <nodes/parsenodes.h>
// clang-format on
