-- Derived from schemas/ by `dateline suites`; write relations of your own under another name.
WITH annotation_sets_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__annotation_sets i
  LEFT JOIN annotation_sets o ON o.article_id = i.article_id
    AND i.item_annotation_set_id IS NOT DISTINCT FROM o.annotation_set_id
    AND i.item_layer IS NOT DISTINCT FROM o.layer
    AND i.item_annotator_id IS NOT DISTINCT FROM o.annotator_id
    AND i.item_annotator_type IS NOT DISTINCT FROM o.annotator_type
    AND i.item_tool IS NOT DISTINCT FROM o.tool
    AND i.item_tool_version IS NOT DISTINCT FROM o.tool_version
    AND i.item_guideline_version IS NOT DISTINCT FROM o.guideline_version
    AND i.item_created IS NOT DISTINCT FROM o.created
    AND i.item_status IS NOT DISTINCT FROM o.status
    AND i.item_adjudicator_id IS NOT DISTINCT FROM o.adjudicator_id
    AND i.item_supersedes IS NOT DISTINCT FROM o.supersedes
  GROUP BY i.article_id
),
annotation_sets_outside AS (
  SELECT article_id, count(*) AS n
  FROM annotation_sets
  GROUP BY article_id
),
attributions_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__attributions i
  LEFT JOIN attributions o ON o.article_id = i.article_id
    AND i.item_attribution_id IS NOT DISTINCT FROM o.attribution_id
    AND i.item_source_spans IS NOT DISTINCT FROM o.source_spans
    AND i.item_cue_spans IS NOT DISTINCT FROM o.cue_spans
    AND i.item_content_spans IS NOT DISTINCT FROM o.content_spans
    AND i.item_source_entity_ids IS NOT DISTINCT FROM o.source_entity_ids
    AND i.item_source_type IS NOT DISTINCT FROM o.source_type
    AND i.item_source_implicit IS NOT DISTINCT FROM o.source_implicit
    AND i.item_on_behalf_of_entity_ids IS NOT DISTINCT FROM o.on_behalf_of_entity_ids
    AND i.item_quote_type IS NOT DISTINCT FROM o.quote_type
    AND i.item_attitude IS NOT DISTINCT FROM o.attitude
    AND i.item_illocution IS NOT DISTINCT FROM o.illocution
    AND i.item_medium IS NOT DISTINCT FROM o.medium
    AND i.item_scopal_polarity IS NOT DISTINCT FROM o.scopal_polarity
    AND i.item_determinacy IS NOT DISTINCT FROM o.determinacy
    AND i.item_inferred IS NOT DISTINCT FROM o.inferred
    AND i.item_level IS NOT DISTINCT FROM o.level
    AND i.item_parent_attribution_id IS NOT DISTINCT FROM o.parent_attribution_id
    AND i.item_addressee_entity_ids IS NOT DISTINCT FROM o.addressee_entity_ids
    AND i.item_time_id IS NOT DISTINCT FROM o.time_id
    AND i.item_as_of_basis IS NOT DISTINCT FROM o.as_of_basis
    AND i.item_content_alternatives IS NOT DISTINCT FROM o.content_alternatives
    AND i.item_insertion_spans IS NOT DISTINCT FROM o.insertion_spans
    AND i.item_note IS NOT DISTINCT FROM o.note
  GROUP BY i.article_id
),
attributions_outside AS (
  SELECT article_id, count(*) AS n
  FROM attributions
  GROUP BY article_id
),
claims_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__claims i
  LEFT JOIN claims o ON o.article_id = i.article_id
    AND i.item_claim_id IS NOT DISTINCT FROM o.claim_id
    AND i.item_claim_type IS NOT DISTINCT FROM o.claim_type
    AND i.item_attribution_id IS NOT DISTINCT FROM o.attribution_id
    AND i.item_attribution_chain IS NOT DISTINCT FROM o.attribution_chain
    AND i.item_is_authorial IS NOT DISTINCT FROM o.is_authorial
    AND i.item_source_entity_ids IS NOT DISTINCT FROM o.source_entity_ids
    AND i.item_proposition IS NOT DISTINCT FROM o.proposition
    AND i.item_modality IS NOT DISTINCT FROM o.modality
    AND i.item_certainty IS NOT DISTINCT FROM o.certainty
    AND i.item_polarity IS NOT DISTINCT FROM o.polarity
    AND i.item_quantity_ids IS NOT DISTINCT FROM o.quantity_ids
    AND i.item_event_ids IS NOT DISTINCT FROM o.event_ids
    AND i.item_condition_event_ids IS NOT DISTINCT FROM o.condition_event_ids
    AND i.item_estimand_id IS NOT DISTINCT FROM o.estimand_id
    AND i.item_parent_estimand_id IS NOT DISTINCT FROM o.parent_estimand_id
    AND i.item_fact_id IS NOT DISTINCT FROM o.fact_id
    AND i.item_utterance_time_id IS NOT DISTINCT FROM o.utterance_time_id
    AND i.item_as_of_basis IS NOT DISTINCT FROM o.as_of_basis
    AND i.item_note IS NOT DISTINCT FROM o.note
  GROUP BY i.article_id
),
claims_outside AS (
  SELECT article_id, count(*) AS n
  FROM claims
  GROUP BY article_id
),
coverage_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__coverage i
  LEFT JOIN coverage o ON o.article_id = i.article_id
    AND i.item_layer IS NOT DISTINCT FROM o.layer
    AND i.item_status IS NOT DISTINCT FROM o.status
    AND i.item_regions IS NOT DISTINCT FROM o.regions
  GROUP BY i.article_id
),
coverage_outside AS (
  SELECT article_id, count(*) AS n
  FROM coverage
  GROUP BY article_id
),
entities_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__entities i
  LEFT JOIN entities o ON o.article_id = i.article_id
    AND i.item_entity_id IS NOT DISTINCT FROM o.entity_id
    AND i.item_type IS NOT DISTINCT FROM o.type
    AND i.item_entity_class IS NOT DISTINCT FROM o.entity_class
    AND i.item_canonical_name IS NOT DISTINCT FROM o.canonical_name
    AND i.item_kb IS NOT DISTINCT FROM o.kb
    AND i.item_kb_id IS NOT DISTINCT FROM o.kb_id
    AND i.item_kb_status IS NOT DISTINCT FROM o.kb_status
    AND i.item_iso3166_1 IS NOT DISTINCT FROM o.iso3166_1
    AND i.item_part_of_entity_id IS NOT DISTINCT FROM o.part_of_entity_id
    AND i.item_member_entity_ids IS NOT DISTINCT FROM o.member_entity_ids
    AND i.item_affiliation_entity_id IS NOT DISTINCT FROM o.affiliation_entity_id
    AND i.item_note IS NOT DISTINCT FROM o.note
  GROUP BY i.article_id
),
entities_outside AS (
  SELECT article_id, count(*) AS n
  FROM entities
  GROUP BY article_id
),
events_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__events i
  LEFT JOIN events o ON o.article_id = i.article_id
    AND i.item_event_id IS NOT DISTINCT FROM o.event_id
    AND i.item_event_cluster_id IS NOT DISTINCT FROM o.event_cluster_id
    AND i.item_parent_cluster_id IS NOT DISTINCT FROM o.parent_cluster_id
    AND i.item_trigger_spans IS NOT DISTINCT FROM o.trigger_spans
    AND i.item_event_scheme IS NOT DISTINCT FROM o.event_scheme
    AND i.item_event_type IS NOT DISTINCT FROM o.event_type
    AND i.item_event_mode IS NOT DISTINCT FROM o.event_mode
    AND i.item_quad_class IS NOT DISTINCT FROM o.quad_class
    AND i.item_contexts IS NOT DISTINCT FROM o.contexts
    AND i.item_timeml_class IS NOT DISTINCT FROM o.timeml_class
    AND i.item_actor_entity_ids IS NOT DISTINCT FROM o.actor_entity_ids
    AND i.item_recipient_entity_ids IS NOT DISTINCT FROM o.recipient_entity_ids
    AND i.item_place_entity_id IS NOT DISTINCT FROM o.place_entity_id
    AND i.item_time_id IS NOT DISTINCT FROM o.time_id
    AND i.item_as_of_basis IS NOT DISTINCT FROM o.as_of_basis
    AND i.item_auxiliary IS NOT DISTINCT FROM o.auxiliary
    AND i.item_note IS NOT DISTINCT FROM o.note
  GROUP BY i.article_id
),
events_outside AS (
  SELECT article_id, count(*) AS n
  FROM events
  GROUP BY article_id
),
factuality_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__factuality i
  LEFT JOIN factuality o ON o.article_id = i.article_id
    AND i.item_factuality_id IS NOT DISTINCT FROM o.factuality_id
    AND i.item_event_id IS NOT DISTINCT FROM o.event_id
    AND i.item_source_is_author IS NOT DISTINCT FROM o.source_is_author
    AND i.item_source_entity_ids IS NOT DISTINCT FROM o.source_entity_ids
    AND i.item_attribution_id IS NOT DISTINCT FROM o.attribution_id
    AND i.item_certainty IS NOT DISTINCT FROM o.certainty
    AND i.item_polarity IS NOT DISTINCT FROM o.polarity
    AND i.item_value IS NOT DISTINCT FROM o.value
    AND i.item_note IS NOT DISTINCT FROM o.note
  GROUP BY i.article_id
),
factuality_outside AS (
  SELECT article_id, count(*) AS n
  FROM factuality
  GROUP BY article_id
),
mentions_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__mentions i
  LEFT JOIN mentions o ON o.article_id = i.article_id
    AND i.item_mention_id IS NOT DISTINCT FROM o.mention_id
    AND i.item_entity_id IS NOT DISTINCT FROM o.entity_id
    AND i.item_spans IS NOT DISTINCT FROM o.spans
    AND i.item_mention_type IS NOT DISTINCT FROM o.mention_type
    AND i.item_gpe_role IS NOT DISTINCT FROM o.gpe_role
    AND i.item_adjectival IS NOT DISTINCT FROM o.adjectival
    AND i.item_literal_kb_id IS NOT DISTINCT FROM o.literal_kb_id
  GROUP BY i.article_id
),
mentions_outside AS (
  SELECT article_id, count(*) AS n
  FROM mentions
  GROUP BY article_id
),
probes_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__probes i
  LEFT JOIN probes o ON o.article_id = i.article_id
    AND i.item_probe_id IS NOT DISTINCT FROM o.probe_id
    AND i.item_spans IS NOT DISTINCT FROM o.spans
    AND i.item_hypothesis IS NOT DISTINCT FROM o.hypothesis
    AND i.item_answer IS NOT DISTINCT FROM o.answer
  GROUP BY i.article_id
),
probes_outside AS (
  SELECT article_id, count(*) AS n
  FROM probes
  GROUP BY article_id
),
quantities_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__quantities i
  LEFT JOIN quantities o ON o.article_id = i.article_id
    AND i.item_quantity_id IS NOT DISTINCT FROM o.quantity_id
    AND i.item_spans IS NOT DISTINCT FROM o.spans
    AND i.item_number_span IS NOT DISTINCT FROM o.number_span
    AND i.item_hedge_spans IS NOT DISTINCT FROM o.hedge_spans
    AND i.item_hedge_type IS NOT DISTINCT FROM o.hedge_type
    AND i.item_value IS NOT DISTINCT FROM o.value
    AND i.item_low IS NOT DISTINCT FROM o.low
    AND i.item_high IS NOT DISTINCT FROM o.high
    AND i.item_low_closed IS NOT DISTINCT FROM o.low_closed
    AND i.item_high_closed IS NOT DISTINCT FROM o.high_closed
    AND i.item_comparator IS NOT DISTINCT FROM o.comparator
    AND i.item_rounding_unit IS NOT DISTINCT FROM o.rounding_unit
    AND i.item_quantity_kind IS NOT DISTINCT FROM o.quantity_kind
    AND i.item_unit IS NOT DISTINCT FROM o.unit
    AND i.item_unit_system IS NOT DISTINCT FROM o.unit_system
    AND i.item_change IS NOT DISTINCT FROM o.change
    AND i.item_measure IS NOT DISTINCT FROM o.measure
    AND i.item_of_what IS NOT DISTINCT FROM o.of_what
    AND i.item_counted_entity_id IS NOT DISTINCT FROM o.counted_entity_id
    AND i.item_beneficiary_entity_id IS NOT DISTINCT FROM o.beneficiary_entity_id
    AND i.item_payer_entity_id IS NOT DISTINCT FROM o.payer_entity_id
    AND i.item_place_entity_id IS NOT DISTINCT FROM o.place_entity_id
    AND i.item_time_id IS NOT DISTINCT FROM o.time_id
    AND i.item_as_of_basis IS NOT DISTINCT FROM o.as_of_basis
    AND i.item_aggregation IS NOT DISTINCT FROM o.aggregation
    AND i.item_subset_of_quantity_id IS NOT DISTINCT FROM o.subset_of_quantity_id
    AND i.item_restates_quantity_id IS NOT DISTINCT FROM o.restates_quantity_id
    AND i.item_retracts_quantity_id IS NOT DISTINCT FROM o.retracts_quantity_id
    AND i.item_note IS NOT DISTINCT FROM o.note
  GROUP BY i.article_id
),
quantities_outside AS (
  SELECT article_id, count(*) AS n
  FROM quantities
  GROUP BY article_id
),
segments_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__segments i
  LEFT JOIN segments o ON o.article_id = i.article_id
    AND i.item_segment_id IS NOT DISTINCT FROM o.segment_id
    AND i.item_kind IS NOT DISTINCT FROM o.kind
    AND i.item_parent_id IS NOT DISTINCT FROM o.parent_id
    AND i.item_spans IS NOT DISTINCT FROM o.spans
  GROUP BY i.article_id
),
segments_outside AS (
  SELECT article_id, count(*) AS n
  FROM segments
  GROUP BY article_id
),
times_inside AS (
  SELECT i.article_id,
    count(*) AS n,
    count(o.article_id) AS found
  FROM standoff__times i
  LEFT JOIN times o ON o.article_id = i.article_id
    AND i.item_time_id IS NOT DISTINCT FROM o.time_id
    AND i.item_spans IS NOT DISTINCT FROM o.spans
    AND i.item_timex_type IS NOT DISTINCT FROM o.timex_type
    AND i.item_value IS NOT DISTINCT FROM o.value
    AND i.item_mod IS NOT DISTINCT FROM o.mod
    AND i.item_temporal_function IS NOT DISTINCT FROM o.temporal_function
    AND i.item_anchor_time_id IS NOT DISTINCT FROM o.anchor_time_id
    AND i.item_function_in_document IS NOT DISTINCT FROM o.function_in_document
    AND i.item_edtf IS NOT DISTINCT FROM o.edtf
    AND i.item_earliest IS NOT DISTINCT FROM o.earliest
    AND i.item_latest IS NOT DISTINCT FROM o.latest
  GROUP BY i.article_id
),
times_outside AS (
  SELECT article_id, count(*) AS n
  FROM times
  GROUP BY article_id
)
SELECT
  r.article_id,
  a.article_id IS NOT NULL AND r.text IS NOT DISTINCT FROM a.text AND r.text_sha256 IS NOT DISTINCT FROM a.text_sha256 AND r.text_n_code_points IS NOT DISTINCT FROM a.text_n_code_points AND r.text_n_bytes IS NOT DISTINCT FROM a.text_n_bytes AND r.text_license IS NOT DISTINCT FROM a.text_license AND r.annotation_license IS NOT DISTINCT FROM a.annotation_license AND r.text_redistributable IS NOT DISTINCT FROM a.text_redistributable AND r.rights_holder IS NOT DISTINCT FROM a.rights_holder AND r.rights_note IS NOT DISTINCT FROM a.rights_note AND r.rights_evidence_url IS NOT DISTINCT FROM a.rights_evidence_url AND r.language IS NOT DISTINCT FROM a.language AND r.group IS NOT DISTINCT FROM a.group AND r.split IS NOT DISTINCT FROM a.split AND r.supersedes IS NOT DISTINCT FROM a.supersedes AND r.schema_version IS NOT DISTINCT FROM a.schema_version AND r.revision IS NOT DISTINCT FROM a.revision AND r.publisher IS NOT DISTINCT FROM a.publisher AND r.genre IS NOT DISTINCT FROM a.genre AND r.published IS NOT DISTINCT FROM a.published AND r.headline IS NOT DISTINCT FROM a.headline AND r.byline IS NOT DISTINCT FROM a.byline AND r.fictional IS NOT DISTINCT FROM a.fictional AND r.origin IS NOT DISTINCT FROM a.origin AND r.tier IS NOT DISTINCT FROM a.tier AND r.contrast_set_id IS NOT DISTINCT FROM a.contrast_set_id AND r.edited_phenomenon IS NOT DISTINCT FROM a.edited_phenomenon AND r.expected_change IS NOT DISTINCT FROM a.expected_change AND r.held_out IS NOT DISTINCT FROM a.held_out AND r.canary IS NOT DISTINCT FROM a.canary AND r.source_url IS NOT DISTINCT FROM a.source_url AND r.source_archive_url IS NOT DISTINCT FROM a.source_archive_url AND r.source_retrieved_from IS NOT DISTINCT FROM a.source_retrieved_from AND r.source_retrieved_at IS NOT DISTINCT FROM a.source_retrieved_at AND r.source_based_on IS NOT DISTINCT FROM a.source_based_on AND r.correction_log IS NOT DISTINCT FROM a.correction_log AND r.added_in IS NOT DISTINCT FROM a.added_in AND r.changed_in IS NOT DISTINCT FROM a.changed_in AS article_same,
  coalesce(annotation_sets_inside.n, 0) = coalesce(annotation_sets_inside.found, 0) AND coalesce(annotation_sets_inside.n, 0) = coalesce(annotation_sets_outside.n, 0) AS annotation_sets_same,
  coalesce(attributions_inside.n, 0) = coalesce(attributions_inside.found, 0) AND coalesce(attributions_inside.n, 0) = coalesce(attributions_outside.n, 0) AS attributions_same,
  coalesce(claims_inside.n, 0) = coalesce(claims_inside.found, 0) AND coalesce(claims_inside.n, 0) = coalesce(claims_outside.n, 0) AS claims_same,
  coalesce(coverage_inside.n, 0) = coalesce(coverage_inside.found, 0) AND coalesce(coverage_inside.n, 0) = coalesce(coverage_outside.n, 0) AS coverage_same,
  coalesce(entities_inside.n, 0) = coalesce(entities_inside.found, 0) AND coalesce(entities_inside.n, 0) = coalesce(entities_outside.n, 0) AS entities_same,
  coalesce(events_inside.n, 0) = coalesce(events_inside.found, 0) AND coalesce(events_inside.n, 0) = coalesce(events_outside.n, 0) AS events_same,
  coalesce(factuality_inside.n, 0) = coalesce(factuality_inside.found, 0) AND coalesce(factuality_inside.n, 0) = coalesce(factuality_outside.n, 0) AS factuality_same,
  coalesce(mentions_inside.n, 0) = coalesce(mentions_inside.found, 0) AND coalesce(mentions_inside.n, 0) = coalesce(mentions_outside.n, 0) AS mentions_same,
  coalesce(probes_inside.n, 0) = coalesce(probes_inside.found, 0) AND coalesce(probes_inside.n, 0) = coalesce(probes_outside.n, 0) AS probes_same,
  coalesce(quantities_inside.n, 0) = coalesce(quantities_inside.found, 0) AND coalesce(quantities_inside.n, 0) = coalesce(quantities_outside.n, 0) AS quantities_same,
  coalesce(segments_inside.n, 0) = coalesce(segments_inside.found, 0) AND coalesce(segments_inside.n, 0) = coalesce(segments_outside.n, 0) AS segments_same,
  coalesce(times_inside.n, 0) = coalesce(times_inside.found, 0) AND coalesce(times_inside.n, 0) = coalesce(times_outside.n, 0) AS times_same
FROM standoff r
LEFT JOIN articles a ON a.article_id = r.article_id
LEFT JOIN annotation_sets_inside ON annotation_sets_inside.article_id = r.article_id
LEFT JOIN annotation_sets_outside ON annotation_sets_outside.article_id = r.article_id
LEFT JOIN attributions_inside ON attributions_inside.article_id = r.article_id
LEFT JOIN attributions_outside ON attributions_outside.article_id = r.article_id
LEFT JOIN claims_inside ON claims_inside.article_id = r.article_id
LEFT JOIN claims_outside ON claims_outside.article_id = r.article_id
LEFT JOIN coverage_inside ON coverage_inside.article_id = r.article_id
LEFT JOIN coverage_outside ON coverage_outside.article_id = r.article_id
LEFT JOIN entities_inside ON entities_inside.article_id = r.article_id
LEFT JOIN entities_outside ON entities_outside.article_id = r.article_id
LEFT JOIN events_inside ON events_inside.article_id = r.article_id
LEFT JOIN events_outside ON events_outside.article_id = r.article_id
LEFT JOIN factuality_inside ON factuality_inside.article_id = r.article_id
LEFT JOIN factuality_outside ON factuality_outside.article_id = r.article_id
LEFT JOIN mentions_inside ON mentions_inside.article_id = r.article_id
LEFT JOIN mentions_outside ON mentions_outside.article_id = r.article_id
LEFT JOIN probes_inside ON probes_inside.article_id = r.article_id
LEFT JOIN probes_outside ON probes_outside.article_id = r.article_id
LEFT JOIN quantities_inside ON quantities_inside.article_id = r.article_id
LEFT JOIN quantities_outside ON quantities_outside.article_id = r.article_id
LEFT JOIN segments_inside ON segments_inside.article_id = r.article_id
LEFT JOIN segments_outside ON segments_outside.article_id = r.article_id
LEFT JOIN times_inside ON times_inside.article_id = r.article_id
LEFT JOIN times_outside ON times_outside.article_id = r.article_id
