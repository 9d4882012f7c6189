#pragma once

// Why: every store refuses the same requests, in the same words, before anything is done.

#include "store/kv.h"

namespace sheaf::kv {

// All fail with invalid. Any thread.
Result<void> check_key(std::string_view key);
Result<void> check_list(const ListRequest& request);
Result<void> check_transaction(const Transaction& transaction);
Result<void> check_ttl(std::chrono::seconds ttl);

// The failures that every store words alike.
Failure not_as_expected(const Condition& condition, Revision found);  // conflict
Failure is_compacted(Revision asked, Revision oldest);                // not_found
Failure is_yet_to_come(Revision asked, Revision newest);              // invalid
Failure no_such_lease(LeaseId lease);                                 // not_found

// The least key that is greater than all keys with this prefix; empty where there is none.
std::string end_of_prefix(std::string prefix);

}  // namespace sheaf::kv
