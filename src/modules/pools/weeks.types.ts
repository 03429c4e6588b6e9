export { WeekDto } from './dto/weeks.dto.js';
