/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_CLI_VERSION_H
#define HOST_CLI_VERSION_H
#define RELECTURE_VERSION "0.1.0"
#endif
