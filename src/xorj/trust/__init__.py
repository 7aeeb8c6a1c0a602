"""Who is worth copying, and how sure that is: scores, eligibility, ranking, scoring runs. Used by copying and reporting."""
