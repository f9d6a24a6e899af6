// SPDX-License-Identifier: Apache-2.0

// Empty: the manifest beside this file only names a dependency.
